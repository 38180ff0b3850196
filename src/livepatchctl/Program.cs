// Entry point of livepatchctl.
return 0;

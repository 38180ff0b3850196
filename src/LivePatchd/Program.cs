// Entry point of the daemon.
return 0;

// Measures and acts inside the guest without the cost of starting programs: load a module, publish a file, count time.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now_us(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void die(const char *what)
{
	fprintf(stderr, "labclock: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void pause_us(long us)
{
	struct timespec t = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&t, NULL);
}

/* 0 or 1 as the attribute says, -1 when it is not there */
static int attribute(const char *name, const char *what)
{
	char path[256], c;
	int fd, got;

	snprintf(path, sizeof(path), "/sys/kernel/livepatch/%s/%s", name, what);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	got = read(fd, &c, 1);
	close(fd);
	return got == 1 ? c == '1' : -1;
}

/*
 * waits until the patch is enabled and its transition is over; both sides of a comparison wait in this way. A patch that is just
 * being registered has a directory, and no transition yet.
 */
static void wait_patched(const char *name)
{
	int tries;

	for (tries = 0; attribute(name, "enabled") != 1 || attribute(name, "transition") != 0; tries++) {
		if (tries > 12000)
			die("the transition stayed open");
		pause_us(5000);
	}
}

/* load FILE NAME: microseconds from finit_module to the end of the transition, and to the return of the call */
static int load(const char *file, const char *name)
{
	int64_t start = now_us(CLOCK_MONOTONIC), loaded;
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(file);
	if (syscall(SYS_finit_module, fd, "", 0) != 0) {
		printf("errno %d %s\n", errno, strerrorname_np(errno));
		return 1;
	}
	loaded = now_us(CLOCK_MONOTONIC);
	wait_patched(name);
	printf("%lld %lld\n", (long long)(now_us(CLOCK_MONOTONIC) - start), (long long)(loaded - start));
	return 0;
}

/* insmod FILE NAME: microseconds from the start of the insmod program to the end of the transition */
static int by_insmod(const char *file, const char *name)
{
	char *args[] = { "insmod", (char *)file, NULL }, *none[] = { NULL };
	int64_t start = now_us(CLOCK_MONOTONIC), done;
	int status;
	pid_t pid;

	errno = posix_spawn(&pid, "/sbin/insmod", NULL, NULL, args, none);
	if (errno != 0)
		die("insmod");
	/* the looking costs time, too: it must go on beside the load here as it does beside the daemon's */
	wait_patched(name);
	done = now_us(CLOCK_MONOTONIC);
	if (waitpid(pid, &status, 0) < 0 || status != 0)
		die("insmod");
	printf("%lld\n", (long long)(done - start));
	return 0;
}

/* publish FROM TO NAME: renames; prints the wall clock just before, and the microseconds to the end of the transition */
static int publish(const char *from, const char *to, const char *name)
{
	int64_t wall = now_us(CLOCK_REALTIME), start = now_us(CLOCK_MONOTONIC);

	if (rename(from, to) != 0)
		die(to);
	wait_patched(name);
	printf("%lld %lld\n", (long long)wall, (long long)(now_us(CLOCK_MONOTONIC) - start));
	return 0;
}

/* stamp: copies lines with the wall clock of their arrival in microseconds before each */
static int stamp(void)
{
	static char line[1 << 20];

	setvbuf(stdin, NULL, _IOLBF, sizeof(line));
	while (fgets(line, sizeof(line), stdin)) {
		printf("%lld %s", (long long)now_us(CLOCK_REALTIME), line);
		fflush(stdout);
	}
	return 0;
}

/* watch FILE TEXT UNTIL: reads FILE until UNTIL exists; prints reads made and reads that lacked TEXT */
static int watch(const char *file, const char *text, const char *until)
{
	long reads = 0, lacking = 0;
	char buffer[4096];

	while (access(until, F_OK) != 0) {
		int fd = open(file, O_RDONLY | O_CLOEXEC);
		ssize_t got;

		if (fd < 0)
			die(file);
		got = read(fd, buffer, sizeof(buffer) - 1);
		close(fd);
		if (got < 0)
			die(file);
		buffer[got] = 0;
		reads++;
		lacking += strstr(buffer, text) == NULL;
		pause_us(3000);
	}
	printf("%ld %ld\n", reads, lacking);
	return 0;
}

/* probe FILE UNTIL: a small service that syncs 4 KiB every 20 ms; prints uptime and duration of each sync in microseconds */
static int probe(const char *file, const char *until)
{
	static char block[4096];
	int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		die(file);
	while (access(until, F_OK) != 0) {
		int64_t start = now_us(CLOCK_MONOTONIC);

		if (pwrite(fd, block, sizeof(block), 0) != sizeof(block) || fdatasync(fd) != 0)
			die(file);
		printf("%lld %lld\n", (long long)start, (long long)(now_us(CLOCK_MONOTONIC) - start));
		pause_us(20000);
	}
	return 0;
}

/* Both clocks at one moment: the reading of the tighter of several tries, so that a processor taken away in between does no harm. */
static uint64_t ticks_at(int64_t *ns)
{
	uint64_t ticks = 0;
	int64_t best = INT64_MAX;
	int tries;

	for (tries = 0; tries < 200; tries++) {
		struct timespec before, after;
		uint64_t now;
		int64_t took;

		clock_gettime(CLOCK_MONOTONIC_RAW, &before);
		now = __builtin_ia32_rdtsc();
		clock_gettime(CLOCK_MONOTONIC_RAW, &after);
		took = (after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec;
		if (took < best) {
			best = took;
			ticks = now;
			*ns = before.tv_sec * 1000000000LL + before.tv_nsec + took / 2;
		}
	}
	return ticks;
}

/* tsc: the rate of the time stamp counter in kHz; run on the host */
static int tsc(void)
{
	int64_t from_ns, to_ns;
	uint64_t from = ticks_at(&from_ns), to;

	pause_us(200000);
	to = ticks_at(&to_ns);
	printf("%.0f\n", (double)(to - from) * 1e6 / (to_ns - from_ns));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "load") == 0)
		return load(argv[2], argv[3]);
	if (argc == 4 && strcmp(argv[1], "insmod") == 0)
		return by_insmod(argv[2], argv[3]);
	if (argc == 5 && strcmp(argv[1], "publish") == 0)
		return publish(argv[2], argv[3], argv[4]);
	if (argc == 2 && strcmp(argv[1], "stamp") == 0)
		return stamp();
	if (argc == 5 && strcmp(argv[1], "watch") == 0)
		return watch(argv[2], argv[3], argv[4]);
	if (argc == 4 && strcmp(argv[1], "probe") == 0)
		return probe(argv[2], argv[3]);
	if (argc == 2 && strcmp(argv[1], "tsc") == 0)
		return tsc();
	fprintf(stderr, "usage: labclock load FILE NAME | insmod FILE NAME | publish FROM TO NAME | stamp | watch FILE TEXT UNTIL | probe FILE UNTIL | tsc\n");
	return 2;
}

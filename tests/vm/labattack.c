// SPDX-License-Identifier: Apache-2.0
// What an account without rights does to the daemon: labattack WHAT SECONDS [NUMBER [KIBIBYTES]]. Ends by itself, and prints how often it did it.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#define DAEMON "org.livepatchd1"
#define MANAGER_PATH "/org/livepatchd1"
#define MANAGER "org.livepatchd1.Manager"
#define DESCRIPTORS 16

static time_t until;
static char *large;

static int over(void) { return time(NULL) >= until; }

static sd_bus *connected(void) {
  sd_bus *bus = NULL;
  while (!over() && sd_bus_open_system(&bus) < 0)
    usleep(100000);
  return bus;
}

// Sends it and forgets it; the connection is made anew when the bus has had enough of it.
static int sent(sd_bus **bus, sd_bus_message *message) {
  int result = sd_bus_send(*bus, message, NULL);
  if (result >= 0)
    result = sd_bus_flush(*bus);
  sd_bus_message_unref(message);
  if (result < 0) {
    sd_bus_unref(*bus);
    *bus = connected();
  }
  return result >= 0;
}

static sd_bus_message *call(sd_bus *bus, const char *interface, const char *member) {
  sd_bus_message *message = NULL;
  if (sd_bus_message_new_method_call(bus, &message, DAEMON, MANAGER_PATH, interface, member) < 0)
    exit(1);
  sd_bus_message_set_expect_reply(message, 0);
  return message;
}

static sd_bus_message *forged(sd_bus *bus, const char *path, const char *interface, const char *member) {
  sd_bus_message *message = NULL;
  if (sd_bus_message_new_signal(bus, &message, path, interface, member) < 0)
    exit(1);
  sd_bus_message_set_destination(message, DAEMON);
  return message;
}

static unsigned long oversized(void) {
  unsigned long done = 0;
  for (sd_bus *bus = connected(); bus && !over();) {
    sd_bus_message *message = done % 3 == 2 ? forged(bus, MANAGER_PATH, "org.example.Noise", "Noise") : call(bus, "org.freedesktop.DBus.Properties", "Get");
    sd_bus_message_append(message, done % 3 == 2 ? "s" : "ss", large, "Version");
    done += sent(&bus, message);
  }
  return done;
}

static unsigned long forgeries(void) {
  unsigned long done = 0;
  for (sd_bus *bus = connected(); bus && !over(); usleep(1000)) {
    static const char *const results[] = {"done", "failed", "timeout"};
    sd_bus_message *job = forged(bus, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "JobRemoved");
    sd_bus_message_append(job, "uoss", (uint32_t)done % 500, "/org/freedesktop/systemd1/job/1", "lab-good.service", results[done % 3]);
    sd_bus_message *owner = NULL, *unit = NULL;
    if (!sent(&bus, job) || !bus)
      continue;
    owner = forged(bus, "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameOwnerChanged");
    sd_bus_message_append(owner, "sss", "org.freedesktop.systemd1", ":1.0", "");
    if (!sent(&bus, owner) || !bus)
      continue;
    unit = forged(bus, "/org/freedesktop/systemd1/unit/dbus_2eservice", "org.freedesktop.DBus.Properties", "PropertiesChanged");
    sd_bus_message_append(unit, "sa{sv}as", "org.freedesktop.systemd1.Unit", 1, "ActiveState", "s", "failed", 0);
    done += sent(&bus, unit);
  }
  return done;
}

static unsigned long descriptors(void) {
  unsigned long done = 0;
  int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  for (sd_bus *bus = connected(); bus && !over();) {
    sd_bus_message *message = call(bus, MANAGER, "Nothing");
    for (int i = 0; i < DESCRIPTORS; i++)
      sd_bus_message_append(message, "h", nothing);
    done += sent(&bus, message);
  }
  return done;
}

// Asks and never takes the answer.
static unsigned long deaf(void) {
  unsigned long done = 0;
  sd_bus *bus = connected();
  while (bus && !over()) {
    sd_bus_message *message = call(bus, MANAGER, "ListPatches");
    sd_bus_message_set_expect_reply(message, 1);
    if (done < 4000)
      done += sent(&bus, message);
    else {
      sd_bus_message_unref(message);
      usleep(100000);
    }
  }
  return done;
}

static unsigned long floods(void) {
  unsigned long done = 0;
  for (sd_bus *bus = connected(); bus && !over();)
    done += sent(&bus, call(bus, MANAGER, done % 2 ? "ListPatches" : "Reload"));
  return done;
}

// Connections to the metrics that say nothing.
static unsigned long idle(void) {
  unsigned long done = 0;
  const struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(9817), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  while (!over()) {
    char byte;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct timeval second = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
    if (connect(fd, (const struct sockaddr *)&there, sizeof there) == 0) {
      done++;
      while (!over() && recv(fd, &byte, 1, 0) < 0 && errno == EAGAIN)
        ;
    } else
      usleep(100000);
    close(fd);
  }
  return done;
}

// Has the kernel print lines that begin with a name of its own choice.
static unsigned long names(void) {
  static const char *const chosen[] = {"BUG: ", "Oops: ", "WARNING: CPU: 1", "Kernel panic - ", "watchdog: BUG: ", "RIP: [lp_good08]"};
  unsigned long done = 0;
  int file = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  while (!over()) {
    prctl(PR_SET_NAME, chosen[done++ % (sizeof chosen / sizeof *chosen)]);
    flock(file, 32 | LOCK_SH);
    // Of the C library's it gets a value of its own.
    syscall(SYS_setitimer, ITIMER_REAL, NULL, NULL);
    int old = open("/proc/self/oom_adj", O_WRONLY | O_CLOEXEC);
    if (old >= 0) {
      if (write(old, "0", 1) < 0)
        errno = 0;
      close(old);
    }
    usleep(20000);
  }
  return done;
}

static const struct {
  const char *name;
  unsigned long (*act)(void);
} attacks[] = {{"oversized", oversized}, {"forged", forgeries}, {"descriptors", descriptors}, {"deaf", deaf}, {"flood", floods}, {"idle", idle}, {"names", names}};

int main(int count, char **arguments) {
  if (count < 3)
    return 2;
  int number = count > 3 ? atoi(arguments[3]) : 1, kibibytes = count > 4 ? atoi(arguments[4]) : 1;
  until = time(NULL) + atoi(arguments[2]);
  large = malloc(kibibytes * 1024ul + 1);
  if (!large)
    return 1;
  memset(large, 'x', kibibytes * 1024ul);
  large[kibibytes * 1024ul] = 0;
  signal(SIGPIPE, SIG_IGN);
  for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
    if (strcmp(attacks[i].name, arguments[1]))
      continue;
    for (int n = 0; n < number; n++) {
      if (fork() == 0) {
        unsigned long done = attacks[i].act();
        _exit(done > 0 ? 0 : 1);
      }
    }
    int status, idle_ones = 0;
    while (wait(&status) > 0)
      idle_ones += status != 0;
    printf("%s: %d of %d did it\n", arguments[1], number - idle_ones, number);
    return idle_ones == number;
  }
  return 2;
}

// SPDX-License-Identifier: Apache-2.0
// Tries, one by one, what a program in the place of the daemon would try to get out of its unit. Prints a line for each: "NAME done", or "NAME refused ERRNO".
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <arpa/inet.h>
#include <net/ethernet.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// A path that is hidden reads as an empty file.
static int opened(const char *path, int flags) {
  char byte;
  int fd = open(path, flags | O_CLOEXEC, 0600);
  if (fd < 0)
    return errno;
  if (flags != O_RDONLY)
    return 0;
  long count = read(fd, &byte, 1);
  return count < 0 ? errno : count == 0 ? ENODATA : 0;
}

static int result(long value) { return value < 0 ? errno : 0; }

static int created(const char *path) {
  int error = opened(path, O_WRONLY | O_CREAT);
  if (!error)
    unlink(path);
  return error;
}

static int ran(char *const arguments[]) {
  execv(arguments[0], arguments);
  return errno;
}

static int init_memory(void) { return opened("/proc/1/mem", O_RDWR); }
static int init_root_create(void) { return created("/proc/1/root/run/escaped"); }
static int init_root_read(void) { return opened("/proc/1/root/etc/shadow", O_RDONLY); }
static int init_environment(void) { return opened("/proc/1/environ", O_RDONLY); }
static int init_traced(void) { return result(ptrace(PTRACE_SEIZE, 1, 0, 0)); }
static int init_written(void) {
  char byte = 0;
  struct iovec here = {&byte, 1}, there = {(void *)0x1000, 1};
  // Nothing is mapped there: whoever may write gets EFAULT.
  long value = syscall(SYS_process_vm_writev, 1, &here, 1, &there, 1, 0);
  return value < 0 && errno != EFAULT ? errno : 0;
}
static int init_namespace(void) {
  int fd = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);
  return fd < 0 ? errno : result(setns(fd, CLONE_NEWNS));
}
static int own_namespace(void) {
  int fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
  return fd < 0 ? errno : result(setns(fd, CLONE_NEWNS));
}
static int shell(void) {
  char *const arguments[] = {"/bin/sh", "-c", "exit 0", NULL};
  return ran(arguments);
}
static int shell_by_loader(void) {
  char *const arguments[] = {"/lib64/ld-linux-x86-64.so.2", "/bin/sh", "-c", "exit 0", NULL};
  return ran(arguments);
}
static int copied_program(void) {
  char *const arguments[] = {"/var/lib/livepatchd/state/escaped", NULL};
  int fd = open(arguments[0], O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
  if (fd < 0)
    return errno;
  static const char script[] = "#!/bin/sh\nexit 0\n";
  long written = write(fd, script, sizeof script - 1);
  close(fd);
  int error = written < 0 ? errno : ran(arguments);
  unlink(arguments[0]);
  return error;
}
static int nameless_program(void) {
  int fd = memfd_create("escaped", MFD_CLOEXEC);
  int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  struct stat about;
  if (fd < 0 || from < 0 || fstat(from, &about) < 0)
    return errno;
  char *bytes = mmap(NULL, about.st_size, PROT_READ, MAP_PRIVATE, from, 0);
  if (bytes == MAP_FAILED || write(fd, bytes, about.st_size) != about.st_size)
    return errno;
  char *const arguments[] = {"escaped", "nothing", NULL}, *const environment[] = {NULL};
  syscall(SYS_execveat, fd, "", arguments, environment, AT_EMPTY_PATH);
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  execve(path, arguments, environment);
  return errno;
}
static int shadow(void) { return opened("/etc/shadow", O_RDONLY); }
static int etc_file(void) { return created("/etc/escaped"); }
static int unit_file(void) { return created("/usr/lib/systemd/system/escaped.service"); }
static int core_pattern(void) { return opened("/proc/sys/kernel/core_pattern", O_WRONLY); }
static int uevent_helper(void) { return opened("/sys/kernel/mm/transparent_hugepage/enabled", O_WRONLY); }
static int sysrq(void) { return opened("/proc/sysrq-trigger", O_WRONLY); }
static int kernel_memory(void) { return opened("/proc/kcore", O_RDONLY); }
static int disk(void) { return opened("/dev/vda", O_RDONLY); }
static int user_faults(void) { return result(syscall(SYS_userfaultfd, O_CLOEXEC)); }
static int ring(void) {
  unsigned char parameters[120] = {0};
  return result(syscall(SYS_io_uring_setup, 1, parameters));
}
static int new_namespace(void) { return result(unshare(CLONE_NEWNS)); }
static int new_user(void) { return result(unshare(CLONE_NEWUSER)); }
static int no_randomness(void) { return result(personality(ADDR_NO_RANDOMIZE)); }
static int mounted(void) {
  int error = result(mount("none", "/mnt", "tmpfs", 0, NULL));
  if (!error)
    umount("/mnt");
  return error;
}
static int rooted(void) { return result(chroot("/usr")); }
static int by_handle(void) {
  struct file_handle *handle = calloc(1, sizeof *handle + MAX_HANDLE_SZ);
  int mount_id, at = open("/", O_RDONLY | O_CLOEXEC);
  handle->handle_bytes = MAX_HANDLE_SZ;
  if (name_to_handle_at(AT_FDCWD, "/usr", handle, &mount_id, 0) < 0)
    return errno;
  return result(open_by_handle_at(at, handle, O_RDONLY | O_CLOEXEC));
}
static int program_in_kernel(void) {
  union bpf_attr attributes = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
  return result(syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes));
}
static int executable_memory(void) {
  void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return page == MAP_FAILED ? errno : 0;
}
static int packets(void) { return result(socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL))); }
static int netlink(void) { return result(socket(AF_NETLINK, SOCK_RAW, 0)); }
static int clock_set(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return result(clock_settime(CLOCK_REALTIME, &now));
}

static const struct {
  const char *name;
  int (*attempt)(void);
} tries[] = {
  {"init-memory", init_memory}, {"init-root-create", init_root_create}, {"init-root-read", init_root_read},
  {"init-environment", init_environment}, {"init-traced", init_traced}, {"init-written", init_written},
  {"init-namespace", init_namespace}, {"own-namespace", own_namespace}, {"shell", shell},
  {"shell-by-loader", shell_by_loader}, {"copied-program", copied_program}, {"nameless-program", nameless_program},
  {"shadow", shadow}, {"etc-file", etc_file}, {"unit-file", unit_file}, {"core-pattern", core_pattern},
  {"kernel-setting", uevent_helper}, {"sysrq", sysrq}, {"kernel-memory", kernel_memory}, {"disk", disk},
  {"user-faults", user_faults}, {"io-uring", ring}, {"new-namespace", new_namespace}, {"new-user", new_user},
  {"personality", no_randomness}, {"mount", mounted}, {"chroot", rooted}, {"open-by-handle", by_handle},
  {"bpf", program_in_kernel}, {"executable-memory", executable_memory}, {"packets", packets}, {"netlink", netlink},
  {"clock", clock_set},
};

int main(int count, char **arguments) {
  (void)arguments;
  // Run again by a try: it has succeeded.
  if (count > 1)
    return 0;
  for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
    int status;
    pid_t child = fork();
    if (child == 0) {
      // What a program that was run prints is no line of this one's.
      close(STDERR_FILENO);
      _exit(tries[i].attempt());
    }
    if (child < 0 || waitpid(child, &status, 0) < 0)
      return 1;
    // A signal is a refusal too; the loader says 127 when it may not map.
    int error = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (error)
      printf("%s refused %d\n", tries[i].name, error);
    else
      printf("%s done\n", tries[i].name);
    fflush(stdout);
  }
  return 0;
}

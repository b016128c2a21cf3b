// The resident launcher: waits on descriptor 3 for requests, checks each, clones a child into its namespaces, writes
// its id maps and lets it go. It never waits for a child: a slow jail delays nobody. It speaks to the host only through
// the report socket that came with the request, and ends when the host's end of descriptor 3 is closed.
#include "jail.h"

#include <poll.h>
#include <signal.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define NAMESPACES (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)
#define MAX_DESCRIPTORS 8  // one more than a request has, so that CMSG_SPACE's padding hides none
#define IDLE_MILLISECONDS 2  // after the last event, before a network namespace is made for a later jail
#define PLAN_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static struct mount_roots roots;
static int alive[2], signals;
static unsigned char plan_bytes[JAIL_PLAN_MAX_BYTES] __attribute__((aligned(8)));

static int write_file(pid_t pid, const char *name, const char *text) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  return write_text(AT_FDCWD, path, text);
}

// user_namespaces(7): an ordinary user may write a gid map only after giving up setgroups. The pid cannot have been
// recycled: only this process reaps it.
int write_maps(pid_t pid, const struct jail_plan_header *header) {
  char text[64];
  if (geteuid() != 0 && write_file(pid, "setgroups", "deny") != 0) return -1;
  snprintf(text, sizeof text, "%u %u 1", header->inner_gid, header->outer_gid);
  if (write_file(pid, "gid_map", text) != 0) return -1;
  snprintf(text, sizeof text, "%u %u 1", header->inner_uid, header->outer_uid);
  return write_file(pid, "uid_map", text);
}

// The child holds copies of the launcher's own descriptors; it drops them before it does anything else.
static void child(struct jail *jail, int go_writer) {
  close(alive[1]);
  close(signals);
  close(go_writer);
  // Its number stays taken, as the others below FIRST_RECEIVED_FD.
  if (dup3(0, CONTROL_FD, O_CLOEXEC) < 0) _exit(125);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  jail_run(jail);
}

static pid_t clone_child(int cgroup, bool listens) {
  // Whoever brings up lo needs a capability over the network, so a namespace that was made with the jail's users.
  bool network = !listens && network_enter();
  struct clone_args arguments = {.flags = NAMESPACES, .exit_signal = SIGCHLD};
  if (network) arguments.flags &= ~(uint64_t)CLONE_NEWNET;
  if (cgroup >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = (uint64_t)cgroup;
  }
  // An ordinary user may write the maps of a dumpable child only. Nothing secret is in this memory.
  if (geteuid() != 0) prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  pid_t pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
  if (pid == 0) return 0;
  int error = errno;
  if (network) network_leave();
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  errno = error;
  return pid;
}

static void launch(struct jail *jail) {
  int go[2];
  const char *problem = "pipe";
  if (pipe2(go, O_CLOEXEC) != 0) {
    report_failure(jail->report, 0, "namespaces", errno, problem);
    return;
  }
  jail->go = go[0];
  problem = cgroup_make(jail);
  pid_t pid = problem ? -1 : clone_child(jail->cgroups[CGROUP_V2], jail->plan.listens);
  if (pid == 0) child(jail, go[1]);
  cgroup_launched(jail, pid);
  if (pid < 0) {
    const char *layer = problem ? "cgroup" : "namespaces";
    report_failure(jail->report, 0, layer, errno, problem ? problem : "clone3 into new namespaces");
  } else if (write_maps(pid, jail->plan.header) != 0) {
    report_failure(jail->report, 0, "id-maps", errno, "uid_map, gid_map or setgroups");
    kill(pid, SIGKILL);
  } else {
    struct jail_report launched = {.kind = JAIL_REPORT_LAUNCHED, .value = pid};
    if (report_send(jail->report, &launched) != 0 || write(go[1], "g", 1) != 1) kill(pid, SIGKILL);
  }
  close(go[0]);
  close(go[1]);
}

// Copies the plan out of its memfd; sealed, so that the sender cannot have shown one plan and passed another.
static const char *read_plan(int fd, struct plan *plan) {
  struct stat info;
  if (fcntl(fd, F_GET_SEALS) != PLAN_SEALS) return "the plan is not sealed";
  if (fstat(fd, &info) != 0 || info.st_size <= 0 || info.st_size > (off_t)sizeof plan_bytes) return "plan size";
  if (pread(fd, plan_bytes, (size_t)info.st_size, 0) != info.st_size) return "the plan cannot be read";
  const char *problem = plan_check(plan, plan_bytes, (size_t)info.st_size, &roots);
  if (!problem) problem = plan_check_ids(plan);
  return problem ? problem : cgroup_check(plan);
}

static bool is_socket(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode);
}

// No directory ever crosses: from one, a plugin could walk out through "..".
static bool is_directory(int fd) {
  struct stat info;
  return fstat(fd, &info) != 0 || S_ISDIR(info.st_mode);
}

static void handle(const struct jail_request *request, const int *received, size_t count) {
  static struct jail jail;
  memset(&jail, 0, sizeof jail);
  for (size_t i = 0; i < JAIL_MAX_SOURCES; i++) jail.sources[i] = -1;
  for (size_t i = 0; i < CGROUP_TREES; i++) jail.cgroups[i] = -1;
  jail.root = jail.ruleset = -1;
  jail.alive = alive[0];
  jail.wait = request->flags & JAIL_REQUEST_WAIT;
  if (count < 2 || !is_socket(received[1])) return;
  jail.report = received[1];
  size_t next = 2;
  int *const slots[] = {&jail.channel, &jail.input, &jail.output, &jail.error, &jail.executable};
  for (size_t i = 0; i < 5; i++) *slots[i] = (request->descriptors >> i) & 1 && next < count ? received[next++] : -1;
  bool expected = next == count && (size_t)__builtin_popcount(request->descriptors) + 2 == count;
  const char *problem = NULL;
  if (request->magic != JAIL_REQUEST_MAGIC || request->version != JAIL_FORMAT_VERSION) problem = "not a request";
  else if (request->flags & ~JAIL_REQUEST_WAIT) problem = "unknown request flags";
  else if (!expected || request->descriptors & ~JAIL_DESCRIPTOR_ALL) problem = "descriptors do not match the request";
  for (size_t i = 2; i < count && !problem; i++)
    if (is_directory(received[i])) problem = "a directory descriptor is refused";
  if (!problem) problem = read_plan(received[0], &jail.plan);
  if (problem) report_failure(jail.report, 0, "plan", 0, problem);
  else launch(&jail);
}

// Takes one message and closes whatever came with it, used or not. false: the host is gone.
static bool serve_one(void) {
  struct jail_request request = {0};
  union {
    char bytes[CMSG_SPACE(sizeof(int) * MAX_DESCRIPTORS)];
    struct cmsghdr alignment;
  } control;
  struct iovec part = {&request, sizeof request};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  message.msg_control = &control;
  message.msg_controllen = sizeof control;
  ssize_t got = recvmsg(CONTROL_FD, &message, MSG_CMSG_CLOEXEC);
  if (got < 0) return errno == EINTR || errno == EAGAIN || errno == EMFILE;
  int received[MAX_DESCRIPTORS];
  size_t count = 0;
  for (struct cmsghdr *part_of = CMSG_FIRSTHDR(&message); part_of; part_of = CMSG_NXTHDR(&message, part_of)) {
    if (part_of->cmsg_level != SOL_SOCKET || part_of->cmsg_type != SCM_RIGHTS) continue;
    size_t here = (part_of->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < here && count < MAX_DESCRIPTORS; i++)
      memcpy(&received[count++], CMSG_DATA(part_of) + i * sizeof(int), sizeof(int));
  }
  bool whole = got == (ssize_t)sizeof request && !(message.msg_flags & (MSG_CTRUNC | MSG_TRUNC));
  if (whole) handle(&request, received, count);
  for (size_t i = 0; i < count; i++) close(received[i]);
  return got > 0;
}

// Everything that the launcher needs for its whole life, and descriptors 0 to 9 taken.
static bool prepare(int argc, char **argv) {
  for (int i = 1; i + 1 < argc; i += 2) {
    if (cgroup_argument(argv[i], argv[i + 1])) continue;
    if (strcmp(argv[i], "--mount-root") != 0 || argv[i + 1][0] != '/' || roots.count == 16) return false;
    roots.paths[roots.count++] = argv[i + 1];
  }
  if (argc % 2 == 0) return false;
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return false;
  for (int fd = 0; fd < FIRST_RECEIVED_FD; fd++)
    if (fd != CONTROL_FD && fd != null && dup3(null, fd, fd > 2 ? O_CLOEXEC : 0) < 0) return false;
  // A descriptor for each running jail.
  struct rlimit files;
  if (!cgroup_start() || getrlimit(RLIMIT_NOFILE, &files) != 0) return false;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigprocmask(SIG_BLOCK, &set, NULL);
  signal(SIGPIPE, SIG_IGN);
  signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals < 0 || pipe2(alive, O_CLOEXEC) != 0) return false;
  // One fresh keyring for all: an ordinary user's quota ends near 200, so one a jail is possible for root only.
  syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0);
  network_prepare();
  return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
}

static void reap(void) {
  struct signalfd_siginfo ignored;
  while (read(signals, &ignored, sizeof ignored) > 0) {}
  for (pid_t pid; (pid = waitpid(-1, NULL, WNOHANG)) > 0;) cgroup_ended(pid);
}

// The host is gone: every init sees the pipe close and ends. Waiting for them, a second at most, leaves no zombies to
// a process 1 that may not reap, as in many containers.
static void end_jails(void) {
  close(alive[1]);
  struct pollfd watch = {.fd = signals, .events = POLLIN};
  for (int round = 0; round < 100; round++) {
    reap();
    bool again = cgroup_tidy();
    siginfo_t some;
    if (!again && waitid(P_ALL, 0, &some, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD) break;
    poll(&watch, 1, 10);
  }
  cgroup_end();
}

// The launcher's whole life. 0: the host closed its end.
int launch_jails(int argc, char **argv) {
  if (!prepare(argc, argv)) return 2;
  struct jail_report hello = {.kind = JAIL_REPORT_HELLO, .status = JAIL_FORMAT_VERSION, .operation = (uint32_t)getpid(),
                              .value = (int32_t)geteuid(), .error = (int32_t)getegid()};
  if (report_send(CONTROL_FD, &hello) != 0) return 1;
  struct pollfd watch[2] = {{.fd = CONTROL_FD, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
  bool refilling = true;
  for (;;) {
    int wait = cgroup_tidy() ? 20 : -1;
    int events = poll(watch, 2, refilling ? IDLE_MILLISECONDS : wait);
    if (events == 0) refilling = refilling && network_refill();
    if (events <= 0) continue;
    refilling = true;
    reap();
    if (watch[0].revents && !serve_one()) break;
  }
  end_jails();
  return 0;
}

int main(int argc, char **argv) {
  clearenv();
  if (is_socket(CONTROL_FD)) return keep_launcher(argc, argv);
  static const char usage[] = "nexus-jail is started by nexusd, with a control socket on descriptor 3\n";
  return write(2, usage, sizeof usage - 1) < 0 ? 2 : 2;
}

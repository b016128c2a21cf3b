// The jail's file tree. Every path on the host is opened once, without following symbolic links, and mounted by
// descriptor; every path in the jail is resolved beneath the new root. A link put in the way by somebody else makes the
// start fail instead of leading elsewhere (the runc and bubblewrap CVEs of this kind are a dozen).
#include "jail.h"

#include <stdio.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#define NO_LINKS (RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)
#define TMPFS_FLAGS (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

int mount_private(void) { return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL); }

int mount_open_source(struct jail *jail, const struct jail_operation *operation) {
  long fd = kernel_openat2(AT_FDCWD, operation_text(operation), O_PATH | O_CLOEXEC, NO_LINKS);
  if (fd < 0) return -1;
  jail->sources[operation->number[0]] = (int)fd;
  return 0;
}

static int open_beneath(int root, const char *path) {
  while (*path == '/') path++;
  return (int)kernel_openat2(root, *path ? path : ".", O_PATH | O_CLOEXEC, RESOLVE_BENEATH | NO_LINKS);
}

// Opens the directory that holds `path` and points `name` at its last part.
static int open_parent(int root, const char *path, const char **name) {
  char parent[4096];
  const char *slash = strrchr(path, '/');
  size_t length = slash ? (size_t)(slash - path) : 0;
  if (!slash || !slash[1] || length >= sizeof parent) {
    errno = EINVAL;
    return -1;
  }
  memcpy(parent, path, length);
  parent[length] = 0;
  *name = slash + 1;
  return open_beneath(root, parent);
}

static int close_keeping_errno(int fd, int result) {
  int error = errno;
  close(fd);
  errno = error;
  return result;
}

static int configure(int context, const char *key, const char *value) {
  return (int)syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, key, value, 0);
}

// A configured file system as a mount that is not attached anywhere yet.
static int finish_filesystem(int context, uint64_t attributes) {
  if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0) return close_keeping_errno(context, -1);
  int mounted = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes);
  return close_keeping_errno(context, mounted);
}

static int new_tmpfs(uint64_t bytes, uint64_t inodes, uint64_t mode, uint64_t attributes) {
  char text[3][32];
  snprintf(text[0], sizeof text[0], "%llu", (unsigned long long)bytes);
  snprintf(text[1], sizeof text[1], "%llu", (unsigned long long)inodes);
  snprintf(text[2], sizeof text[2], "%llo", (unsigned long long)(mode & 07777));
  int context = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
  if (context < 0) return -1;
  if (configure(context, "size", text[0]) != 0 || configure(context, "nr_inodes", text[1]) != 0 ||
      configure(context, "mode", text[2]) != 0)
    return close_keeping_errno(context, -1);
  return finish_filesystem(context, attributes);
}

static int attach(int root, int mounted, const char *path) {
  int target = open_beneath(root, path);
  if (target < 0) return close_keeping_errno(mounted, -1);
  int flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
  int result = (int)syscall(SYS_move_mount, mounted, "", target, "", flags);
  close_keeping_errno(target, 0);
  return close_keeping_errno(mounted, result);
}

// Mounted over "/": our own root stays the directory beneath, so every source path is still reachable.
int mount_root_tmpfs(struct jail *jail, const struct jail_operation *operation) {
  jail->root = new_tmpfs(operation->number[0], operation->number[1], 0755, TMPFS_FLAGS);
  if (jail->root < 0) return -1;
  return (int)syscall(SYS_move_mount, jail->root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
}

int mount_make_directory(struct jail *jail, const struct jail_operation *operation) {
  const char *name;
  int parent = open_parent(jail->root, operation_text(operation), &name);
  if (parent < 0) return -1;
  int result = mkdirat(parent, name, (mode_t)operation->number[0]);
  if (result != 0 && errno == EEXIST) result = 0;  // whatever is there must still resolve without links
  return close_keeping_errno(parent, result);
}

int mount_make_link(struct jail *jail, const struct jail_operation *operation) {
  const char *name;
  int parent = open_parent(jail->root, operation_second_text(operation), &name);
  if (parent < 0) return -1;
  return close_keeping_errno(parent, symlinkat(operation_text(operation), parent, name));
}

// A place to mount on, of the source's kind: only the kernel knows which that is, and only now.
static int make_target(int root, int source, const char *path) {
  struct stat info;
  const char *name;
  if (fstat(source, &info) != 0) return -1;
  int parent = open_parent(root, path, &name);
  if (parent < 0) return -1;
  int made = S_ISDIR(info.st_mode) ? mkdirat(parent, name, 0755)
                                   : openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0444);
  if (made >= 0 && !S_ISDIR(info.st_mode)) close(made);
  if (made < 0 && errno == EEXIST) made = 0;
  return close_keeping_errno(parent, made < 0 ? -1 : 0);
}

// The copy of the tree gets its attributes, recursively, before anybody can see it. Not recursive would be EINVAL where
// mounts are locked beneath, and would leave submounts writable.
int mount_bind(struct jail *jail, const struct jail_operation *operation) {
  int source = jail->sources[operation->number[0]];
  if (make_target(jail->root, source, operation_text(operation)) != 0) return -1;
  unsigned flags = OPEN_TREE_CLONE | O_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE;
  int tree = (int)syscall(SYS_open_tree, source, "", flags);
  if (tree < 0) return -1;
  struct mount_attr attributes = {.attr_set = operation->number[1]};
  if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof attributes) != 0)
    return close_keeping_errno(tree, -1);
  return attach(jail->root, tree, operation_text(operation));
}

int mount_tmpfs(struct jail *jail, const struct jail_operation *operation) {
  int mounted = new_tmpfs(operation->number[0], operation->number[1], operation->number[2], operation->number[3]);
  return mounted < 0 ? -1 : attach(jail->root, mounted, operation_text(operation));
}

// A copy in the root, which becomes read-only: what was verified is what an interpreter reads, and no path of the host
// has to be open to the jail's user.
int mount_place_sealed(const struct jail *jail, const struct jail_operation *operation) {
  const char *name;
  int parent = open_parent(jail->root, operation_text(operation), &name);
  if (parent < 0) return -1;
  int file = openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0444);
  if (file < 0) return close_keeping_errno(parent, -1);
  close(parent);
  off_t offset = 0;
  ssize_t sent;
  do sent = sendfile(file, jail->executable, &offset, 1 << 20);
  while (sent > 0);
  return close_keeping_errno(file, sent < 0 ? -1 : 0);
}

// Only the process directories, and of them only those that the reader could trace: not init's.
int mount_proc(struct jail *jail, const struct jail_operation *operation) {
  int context = (int)syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC);
  if (context < 0) return -1;
  if (configure(context, "subset", "pid") != 0 || configure(context, "hidepid", "ptraceable") != 0)
    return close_keeping_errno(context, -1);
  int mounted = finish_filesystem(context, TMPFS_FLAGS | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY);
  return mounted < 0 ? -1 : attach(jail->root, mounted, operation_text(operation));
}

// pivot_root(2), "pivot_root(".", ".")": the old root ends up on top of the new one and is detached from there.
int mount_pivot(struct jail *jail) {
  if (fchdir(jail->root) != 0) return -1;
  if (syscall(SYS_pivot_root, ".", ".") != 0) return -1;
  if (umount2(".", MNT_DETACH) != 0) return -1;
  if (chdir("/") != 0) return -1;
  close(jail->root);
  jail->root = -1;
  for (size_t i = 0; i < JAIL_MAX_SOURCES; i++) {
    if (jail->sources[i] >= 0) close(jail->sources[i]);
    jail->sources[i] = -1;
  }
  return 0;
}

int mount_read_only_root(void) {
  struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY | TMPFS_FLAGS | MOUNT_ATTR_NOEXEC};
  return (int)syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, &attributes, sizeof attributes);
}

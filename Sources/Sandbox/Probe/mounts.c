// The mount calls, old and new. The new ones were missing from more than one sandbox's list of refusals.
#include "probe.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
#ifndef SYS_statmount
#define SYS_statmount 457
#endif
#ifndef SYS_listmount
#define SYS_listmount 458
#endif
#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr 467
#endif
#define NONE (~0UL)
#define TEXT(text) (unsigned long)text
#define CALL(title, ...) \
  {.name = title, .layer = "seccomp, capabilities, landlock", .run = try_call, .number = {__VA_ARGS__}}

static int set_attributes(const struct act *act) {
  struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
  (void)act;
  return refused_by_policy(
      syscall(SYS_mount_setattr, -1, "", AT_EMPTY_PATH, &attributes, sizeof attributes));
}

static const struct act mounts[] = {
    CALL("mount", SYS_mount, 0, TEXT("/"), TEXT("nexus-no-such-filesystem")),
    // Expiring and detaching at once is always refused, but only to who may unmount at all.
    CALL("unmount", SYS_umount2, TEXT("/"), MNT_EXPIRE | MNT_DETACH),
    CALL("pivot-root", SYS_pivot_root),
    CALL("chroot", SYS_chroot, TEXT("/")),
    CALL("mount-open-tree", SYS_open_tree, NONE, TEXT(""), OPEN_TREE_CLONE | AT_EMPTY_PATH),
    CALL("mount-open-tree-attributes", SYS_open_tree_attr, NONE, TEXT(""), OPEN_TREE_CLONE | AT_EMPTY_PATH),
    CALL("mount-move", SYS_move_mount, NONE, TEXT(""), NONE, TEXT(""), NONE),
    CALL("mount-open-filesystem", SYS_fsopen, 0, NONE),
    CALL("mount-configure", SYS_fsconfig, NONE),
    CALL("mount-create", SYS_fsmount, NONE, NONE),
    CALL("mount-pick", SYS_fspick, NONE, TEXT(""), NONE),
    {"mount-attributes", "seccomp, capabilities, landlock", set_attributes, NULL, {0}, false},
    CALL("mount-status", SYS_statmount),
    CALL("mount-list", SYS_listmount),
};
const struct group group_mounts = GROUP("mounts", mounts);

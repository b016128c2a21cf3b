// Calls into parts of the kernel that hold most of its bugs, each with arguments that it must refuse after looking.
#include "probe.h"

#include <linux/keyctl.h>
#include <linux/userfaultfd.h>
#include <sys/prctl.h>

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#ifndef SYS_lsm_set_self_attr
#define SYS_lsm_set_self_attr 460
#endif
#define NONE (~0UL)
#define CALL(title, ...) {.name = title, .layer = "seccomp", .run = try_call, .number = {__VA_ARGS__}}

static const struct act kernel[] = {
    CALL("io-uring-setup", SYS_io_uring_setup, 1),
    CALL("io-uring-enter", SYS_io_uring_enter, NONE, 1),
    CALL("io-uring-register", SYS_io_uring_register, NONE),
    CALL("bpf", SYS_bpf, 9999),
    CALL("perf-event", SYS_perf_event_open),
    CALL("userfaultfd", SYS_userfaultfd, UFFD_USER_MODE_ONLY | 0x40000000),
    CALL("keyring-of-the-session", SYS_keyctl, KEYCTL_GET_KEYRING_ID, (unsigned long)KEY_SPEC_SESSION_KEYRING),
    CALL("keyring-add", SYS_add_key),
    CALL("keyring-request", SYS_request_key),
    CALL("memfd", SYS_memfd_create, 0, NONE),
#ifdef SYS_memfd_secret
    CALL("memfd-secret", SYS_memfd_secret, NONE),
#endif
    CALL("fanotify-init", SYS_fanotify_init, NONE),
    CALL("fanotify-mark", SYS_fanotify_mark, NONE, NONE),
    CALL("name-to-handle", SYS_name_to_handle_at, NONE),
    CALL("open-by-handle", SYS_open_by_handle_at, NONE),
    CALL("page-binding", SYS_mbind, 1),
    CALL("page-policy", SYS_set_mempolicy, 9999),
    CALL("page-moving", SYS_move_pages, 0, 0),
    CALL("page-migration", SYS_migrate_pages, 0, 0),
    CALL("page-remapping", SYS_remap_file_pages, 1),
    CALL("page-splicing", SYS_vmsplice, NONE, 0, 1),
    CALL("seccomp-listener", SYS_seccomp, 1, 8),
    CALL("landlock-create", SYS_landlock_create_ruleset, 0, 0, 2),
    CALL("landlock-add", SYS_landlock_add_rule, NONE),
    CALL("landlock-restrict", SYS_landlock_restrict_self, NONE),
    CALL("security-attributes", SYS_lsm_set_self_attr, 9999),
    CALL("message-queue-posix", SYS_mq_open),
    CALL("message-queue-unlink", SYS_mq_unlink),
    CALL("message-queue-systemv", SYS_msgget, 0x4e58, 0),
    CALL("directory-cookie", 212, 0),
    CALL("personality", SYS_personality, 0x0400000),
    CALL("memory-map-rewrite", SYS_prctl, PR_SET_MM, NONE),
#ifdef SYS_modify_ldt
    CALL("segment-table", SYS_modify_ldt, 9999),
    CALL("ports-iopl", SYS_iopl, 0),
    CALL("ports-ioperm", SYS_ioperm, 65536, 1),
#endif
};
#undef CALL
const struct group group_kernel = GROUP("kernel", kernel);

// What can only be found out by trying it, for `nexus doctor`.
#pragma once

// Mounts a procfs, unattached, in new user, mount and pid namespaces, as a jail does: 1, or a negative errno. EPERM
// where the own /proc is masked in part ("too revealing"), or where the namespaces give no capability.
int cjail_proc_mount_works(void);

// Whether prctl(PR_SET_MDWE) exists: 1, or a negative errno.
int cjail_no_new_code_known(void);

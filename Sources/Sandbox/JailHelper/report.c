// What is written: reports to the host, fixed records on a SOCK_SEQPACKET socket, so that a record is never torn; and
// the kernel's small files, which take a text as a whole or not at all.
#include "jail.h"

#include <sys/socket.h>

// Copies text into a fixed field, cut if need be, always ended by NUL.
void report_text(char *field, size_t size, const char *text) {
  size_t length = text ? strnlen(text, size - 1) : 0;
  if (length > 0) memcpy(field, text, length);
  memset(field + length, 0, size - length);
}

// write(2), because the plugin's filter allows that and nothing richer is needed.
int report_send(int fd, const struct jail_report *report) {
  struct jail_report record = *report;
  record.magic = JAIL_REPORT_MAGIC;
  ssize_t written;
  do {
    written = write(fd, &record, sizeof record);
  } while (written < 0 && errno == EINTR);
  return written == (ssize_t)sizeof record ? 0 : -1;
}

// Hands a descriptor to the host, or says why there is none (-1).
int report_descriptor(int fd, uint32_t kind, int passed, int error) {
  struct jail_report record = {.magic = JAIL_REPORT_MAGIC, .kind = kind, .error = error};
  union {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr alignment;
  } control = {.bytes = {0}};
  struct iovec part = {&record, sizeof record};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (passed >= 0) {
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
    memcpy(CMSG_DATA(header), &passed, sizeof passed);
  }
  ssize_t sent;
  do {
    sent = sendmsg(fd, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent == (ssize_t)sizeof record ? 0 : -1;
}

// Layers are told in one message: each would wake the host, on a processor that the jail could use itself.
static struct jail_report pending[64];
static size_t pending_count;

void report_add(const struct jail_report *report) {
  if (pending_count == sizeof pending / sizeof pending[0]) _exit(125);  // more than any real plan has
  pending[pending_count] = *report;
  pending[pending_count++].magic = JAIL_REPORT_MAGIC;
}

void report_forget(void) { pending_count = 0; }

int report_flush(int fd) {
  size_t length = pending_count * sizeof pending[0];
  ssize_t written;
  do {
    written = length > 0 ? write(fd, pending, length) : 0;
  } while (written < 0 && errno == EINTR);
  report_forget();
  return written == (ssize_t)length ? 0 : -1;
}

int report_failure(int fd, uint32_t operation, const char *layer, int error, const char *detail) {
  struct jail_report record = {.kind = JAIL_REPORT_FAILED, .operation = operation, .error = error};
  report_text(record.layer, sizeof record.layer, layer);
  report_text(record.detail, sizeof record.detail, detail);
  return report_send(fd, &record);
}

// Writes to a file below a directory, or AT_FDCWD. 0, or -1 with errno.
int write_text(int directory, const char *file, const char *text) {
  int fd = openat(directory, file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return -1;
  ssize_t written = write(fd, text, strlen(text));
  int error = errno;
  close(fd);
  errno = error;
  return written == (ssize_t)strlen(text) ? 0 : -1;
}

// What is written: reports to the host, fixed records on a SOCK_SEQPACKET socket, so that a record is never torn; and
// the kernel's small files, which take a text as a whole or not at all.
#include "jail.h"

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

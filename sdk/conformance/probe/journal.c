// What the probe saw of its host, as JSON:
// {"argv":[..],"environment":["NAME"..],"descriptors":[{"fd","type"}..],"input":"empty"|"bytes"|"blocks",
//  "socket":{"family","type"},"cwd":bool,"tmp":bool,"terminated":bool,"secretsSeen":[..],"now":ms,
//  "frames":[{"at":ms,"kind","stream","bytes","whole":bool,"fields":[[tag,length,"hex"]..],
//             "credentials":[[name,length]..]}]}
// The bytes of a field are cut to 1,024; of a credential there is never more than its name and length.
#define _GNU_SOURCE
#include "probe.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHOWN_BYTES = 1024, KEPT_BYTES = 1 << 20 };
extern char **environ;

static struct text frames, history, secrets;  // history: every field that is no credential
static unsigned counts[256];
static volatile sig_atomic_t terminated = 0;

void note_terminated(int signal) { terminated = signal; }
unsigned seen(enum kind kind) { return counts[kind & 255]; }

static void quote(struct text *json, const void *bytes, size_t length) {
  const uint8_t *rest = bytes;
  put(json, "\"", 1);
  for (size_t i = 0; i < length; i++) {
    if (rest[i] >= 0x20 && rest[i] < 0x7f && rest[i] != '"' && rest[i] != '\\') put(json, rest + i, 1);
    else add(json, "\\u%04x", rest[i]);
  }
  put(json, "\"", 1);
}

// MARK: credentials

static void saw(const char *place) {
  if (secrets.bytes && strstr(secrets.bytes, place)) return;
  add(&secrets, "%s\"%s\"", secrets.length ? "," : "", place);
}

// ABI-8.1: a credential is in its field and nowhere else.
static void search(struct slice value) {
  if (value.length < 8) return;
  for (char **entry = environ; *entry; entry++)
    if (memmem(*entry, strlen(*entry), value.bytes, value.length)) saw("environment");
  char line[65536];
  int file = open("/proc/self/cmdline", O_RDONLY);
  ssize_t count = file < 0 ? 0 : read(file, line, sizeof line);
  if (file >= 0) close(file);
  if (count > 0 && memmem(line, (size_t)count, value.bytes, value.length)) saw("arguments of the process");
  if (history.length && memmem(history.bytes, history.length, value.bytes, value.length)) saw("another field");
}

static void note_credential(struct text *names, struct slice inner) {
  struct slice value, name = {(const uint8_t *)"", 0}, secret = name;
  uint16_t tag;
  while (next_field(&inner, &tag, &value)) {
    if (tag == 1) name = value;
    if (tag == 2) secret = value;
  }
  put(names, names->length ? ",[" : "[", names->length ? 2 : 1);
  quote(names, name.bytes, name.length);
  add(names, ",%zu]", secret.length);
  search(secret);
}

// MARK: frames

void note(const struct frame *frame) {
  counts[frame->kind]++;
  struct slice rest = {frame->body, frame->length}, value;
  struct text fields = {0}, names = {0};
  uint16_t tag;
  while (next_field(&rest, &tag, &value))
    if (tag != CREDENTIAL_TAG && history.length < KEPT_BYTES) put(&history, value.bytes, value.length);
  rest = (struct slice){frame->body, frame->length};
  while (next_field(&rest, &tag, &value)) {
    if (tag == CREDENTIAL_TAG) {
      note_credential(&names, value);
      continue;
    }
    add(&fields, "%s[%u,%zu,\"", fields.length ? "," : "", tag, value.length);
    for (size_t i = 0; i < value.length && i < SHOWN_BYTES; i++) add(&fields, "%02x", value.bytes[i]);
    add(&fields, "\"]");
  }
  if (frames.length < KEPT_BYTES) {
    add(&frames, "%s{\"at\":%llu,\"kind\":%u,\"stream\":\"%llu\",\"bytes\":%zu,\"whole\":%s,\"fields\":[",
        frames.length ? "," : "", (unsigned long long)now(), frame->kind, (unsigned long long)frame->stream,
        frame->length, rest.length == 0 ? "true" : "false");
    put(&frames, fields.bytes, fields.length);
    add(&frames, "],\"credentials\":[");
    put(&frames, names.bytes, names.length);
    add(&frames, "]}");
  }
  free(fields.bytes);
  free(names.bytes);
}

// MARK: the process

static void describe_descriptors(struct text *json) {
  const char *separator = "";
  for (int descriptor = 0; descriptor < 1024; descriptor++) {
    struct stat status;
    if (fcntl(descriptor, F_GETFD) < 0 || fstat(descriptor, &status) < 0) continue;
    const char *type = S_ISSOCK(status.st_mode) ? "socket" : S_ISFIFO(status.st_mode) ? "pipe"
                     : S_ISCHR(status.st_mode) ? "device" : S_ISREG(status.st_mode) ? "file" : "other";
    add(json, "%s{\"fd\":%d,\"type\":\"%s\"}", separator, descriptor, type);
    separator = ",";
  }
}

static const char *input(void) {
  char byte;
  struct pollfd standard = {.fd = 0, .events = POLLIN};
  if (poll(&standard, 1, 0) == 0) return "blocks";
  return read(0, &byte, 1) == 0 ? "empty" : "bytes";
}

static bool writes_to_tmp(void) {
  int file = open("/tmp/probe", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  bool wrote = file >= 0 && write(file, "x", 1) == 1;
  if (file >= 0) close(file);
  unlink("/tmp/probe");
  return wrote;
}

void report(struct text *json, int count, char **arguments) {
  char folder[4096];
  int family = -1, type = -1;
  socklen_t size = sizeof family;
  getsockopt(SOCKET, SOL_SOCKET, SO_DOMAIN, &family, &size);
  size = sizeof type;
  getsockopt(SOCKET, SOL_SOCKET, SO_TYPE, &type, &size);
  add(json, "{\"argv\":[");
  for (int i = 0; i < count; i++) {
    if (i > 0) add(json, ",");
    quote(json, arguments[i], strlen(arguments[i]));
  }
  add(json, "],\"environment\":[");
  for (char **entry = environ; *entry; entry++) {
    if (entry != environ) add(json, ",");
    quote(json, *entry, strcspn(*entry, "="));
  }
  add(json, "],\"descriptors\":[");
  describe_descriptors(json);
  add(json, "],\"input\":\"%s\",\"socket\":{\"family\":%d,\"type\":%d},", input(), family, type);
  add(json, "\"cwd\":%s,\"tmp\":%s,\"terminated\":%s,", getcwd(folder, sizeof folder) ? "true" : "false",
      writes_to_tmp() ? "true" : "false", terminated ? "true" : "false");
  add(json, "\"secretsSeen\":[%s],\"now\":%llu,\"frames\":[", secrets.bytes ? secrets.bytes : "",
      (unsigned long long)now());
  put(json, frames.bytes, frames.length);
  add(json, "]}");
}

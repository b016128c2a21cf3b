// Bytes, fields and frames: sections 3 and 4 of the specification.
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int pause_microseconds = 0;

uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

uint64_t integer(const uint8_t *bytes, size_t size) {
  uint64_t value = 0;
  for (size_t i = size; i > 0; i--) value = value << 8 | bytes[i - 1];
  return value;
}

// MARK: buffers

void put(struct text *text, const void *bytes, size_t length) {
  if (text->length + length + 1 > text->capacity) {
    text->capacity = 2 * (text->length + length) + 64;
    text->bytes = realloc(text->bytes, text->capacity);
    if (!text->bytes) _exit(70);
  }
  if (length > 0) memcpy(text->bytes + text->length, bytes, length);
  text->length += length;
  text->bytes[text->length] = 0;
}

void put_integer(struct text *body, uint64_t value, size_t size) {
  uint8_t bytes[8];
  for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)(value >> (8 * i));
  put(body, bytes, size);
}

void put_field(struct text *body, uint16_t tag, const void *bytes, size_t length) {
  put_integer(body, tag, 2);
  put_integer(body, length, 4);
  put(body, bytes, length);
}

void put_number(struct text *body, uint16_t tag, uint64_t value, size_t size) {
  put_integer(body, tag, 2);
  put_integer(body, size, 4);
  put_integer(body, value, size);
}

void add(struct text *text, const char *format, ...) {
  char line[1024];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  if (length > 0) put(text, line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
}

void say(const char *format, ...) {
  char line[1024];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line, sizeof line - 1, format, arguments);
  va_end(arguments);
  if (length < 0) return;
  if ((size_t)length > sizeof line - 2) length = sizeof line - 2;
  line[length] = '\n';
  if (write(2, line, (size_t)length + 1) < 0) return;  // nobody listens; so be it
}

// MARK: out

void send_bytes(const void *bytes, size_t length) {
  const uint8_t *rest = bytes;
  while (length > 0) {
    ssize_t count = write(SOCKET, rest, pause_microseconds ? 1 : length);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      say("probe: the host closed the connection");
      _exit(0);
    }
    rest += count;
    length -= (size_t)count;
    if (pause_microseconds) usleep((useconds_t)pause_microseconds);
  }
}

void send_frame(enum kind kind, uint64_t stream, struct text *body) {
  struct text frame = {0};
  put_integer(&frame, body ? body->length : 0, 4);
  put_integer(&frame, kind, 4);  // flags and reserved are 0
  put_integer(&frame, stream, 8);
  if (body) put(&frame, body->bytes, body->length);
  send_bytes(frame.bytes, frame.length);
  free(frame.bytes);
  if (!body) return;
  free(body->bytes);
  *body = (struct text){0};
}

void send_coded(enum kind kind, uint64_t stream, const char *code, const char *message) {
  struct text body = {0};
  put_field(&body, 1, code, strlen(code));
  put_field(&body, 2, message, strlen(message));
  send_frame(kind, stream, &body);
}

// MARK: in

static void read_exactly(uint8_t *bytes, size_t length) {
  while (length > 0) {
    ssize_t count = read(SOCKET, bytes, length);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      say("probe: end of file");
      _exit(0);  // ABI-2.6
    }
    bytes += count;
    length -= (size_t)count;
  }
}

struct frame read_frame(void) {
  uint8_t header[HEADER_BYTES];
  read_exactly(header, sizeof header);
  struct frame frame = {.kind = header[4], .stream = integer(header + 8, 8), .length = integer(header, 4)};
  if (frame.length > BODY_LIMIT || header[5] || header[6] || header[7]) {
    say("probe: the host sent a frame with a bad header: kind %u, %zu bytes", frame.kind, frame.length);
    _exit(71);
  }
  frame.body = malloc(frame.length + 1);
  if (!frame.body) _exit(70);
  read_exactly(frame.body, frame.length);
  return frame;
}

bool is_readable(int milliseconds) {
  struct pollfd socket = {.fd = SOCKET, .events = POLLIN};
  return poll(&socket, 1, milliseconds) > 0;
}

bool next_field(struct slice *rest, uint16_t *tag, struct slice *value) {
  if (rest->length < 6) return false;
  size_t length = integer(rest->bytes + 2, 4);
  if (length > rest->length - 6) return false;
  *tag = (uint16_t)integer(rest->bytes, 2);
  *value = (struct slice){rest->bytes + 6, length};
  *rest = (struct slice){rest->bytes + 6 + length, rest->length - 6 - length};
  return true;
}

struct slice field(const struct frame *frame, uint16_t wanted) {
  struct slice rest = {frame->body, frame->length}, value;
  uint16_t tag;
  while (next_field(&rest, &tag, &value))
    if (tag == wanted) return value;
  return (struct slice){(const uint8_t *)"", 0};
}

// Bytes, frames and fields: sections 3 and 4 of the specification.
#define _GNU_SOURCE
#include "abi.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int abi_pause_microseconds = 0;

uint64_t abi_integer(const uint8_t *bytes, size_t size) {
  uint64_t value = 0;
  for (size_t i = size; i > 0; i--) value = value << 8 | bytes[i - 1];
  return value;
}

// ABI-2.6: without a host there is nothing left to do.
static void read_exactly(uint8_t *bytes, size_t length) {
  while (length > 0) {
    ssize_t count = read(SOCKET, bytes, length);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) _exit(count == 0 ? 0 : 1);
    bytes += count;
    length -= (size_t)count;
  }
}

void abi_send_raw(const void *bytes, size_t length) {
  const uint8_t *rest = bytes;
  while (length > 0) {
    ssize_t count = write(SOCKET, rest, abi_pause_microseconds ? 1 : length);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) _exit(errno == EPIPE ? 0 : 1);
    rest += count;
    length -= (size_t)count;
    if (abi_pause_microseconds) usleep((useconds_t)abi_pause_microseconds);
  }
}

// MARK: writing

static void grow(struct writer *writer, size_t extra) {
  if (writer->length == 0) writer->length = HEADER_BYTES;
  if (writer->length + extra <= writer->capacity) return;
  size_t capacity = 2 * (writer->length + extra);
  uint8_t *bytes = calloc(1, capacity);
  if (!bytes) _exit(1);
  if (writer->bytes) {
    memcpy(bytes, writer->bytes, writer->length);
    explicit_bzero(writer->bytes, writer->capacity);
    free(writer->bytes);
  }
  writer->bytes = bytes;
  writer->capacity = capacity;
}

static void put(uint8_t *bytes, uint64_t value, size_t size) {
  for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)(value >> (8 * i));
}

void abi_field(struct writer *writer, uint16_t tag, const void *bytes, size_t length) {
  grow(writer, 6 + length);
  uint8_t *field = writer->bytes + writer->length;
  put(field, tag, 2);
  put(field + 2, length, 4);
  if (length > 0) memcpy(field + 6, bytes, length);
  writer->length += 6 + length;
}

void abi_number(struct writer *writer, uint16_t tag, uint64_t value, size_t size) {
  uint8_t bytes[8];
  put(bytes, value, size);
  abi_field(writer, tag, bytes, size);
}

void abi_send(enum kind kind, uint64_t stream, struct writer *writer) {
  struct writer empty = {0};
  if (!writer) writer = &empty;
  grow(writer, HEADER_BYTES);
  put(writer->bytes, writer->length - HEADER_BYTES, 4);
  put(writer->bytes + 4, kind, 1);
  put(writer->bytes + 5, 0, 3);
  put(writer->bytes + 8, stream, 8);
  abi_send_raw(writer->bytes, writer->length);
  explicit_bzero(writer->bytes, writer->capacity);
  free(writer->bytes);
  *writer = (struct writer){0};
}

void abi_result(uint64_t stream, const char *json, size_t length) {
  struct writer writer = {0};
  abi_field(&writer, 1, json, length);
  abi_send(RESULT, stream, &writer);
}

static void send_coded(enum kind kind, uint64_t stream, const char *code, const char *message) {
  struct writer writer = {0};
  abi_field(&writer, 1, code, strlen(code));
  abi_field(&writer, 2, message, strlen(message));
  abi_send(kind, stream, &writer);
}

void abi_error(uint64_t stream, const char *code, const char *message) { send_coded(ERROR, stream, code, message); }

void abi_cancelled(uint64_t stream, const char *reason) {
  struct writer writer = {0};
  abi_field(&writer, 1, reason, strlen(reason));
  abi_send(CANCELLED, stream, &writer);
}

void abi_log(uint64_t stream, enum level level, const char *text) {
  struct writer writer = {0};
  abi_number(&writer, 1, level, 1);
  abi_field(&writer, 2, text, strlen(text));
  abi_send(LOG, stream, &writer);
}

// MARK: reading

// The host broke the protocol, or no version is common: say so and go (ABI-4.2, ABI-5.3).
void abi_give_up(const char *code, const char *message) {
  send_coded(ABORT, 0, code, message);
  _exit(1);
}

struct frame abi_read(size_t limit) {
  uint8_t header[HEADER_BYTES];
  read_exactly(header, sizeof header);
  struct frame frame = {.kind = header[4], .stream = abi_integer(header + 8, 8), .length = abi_integer(header, 4)};
  if (frame.length > limit) abi_give_up("frame-too-large", "the host sent a frame over the limit");
  if (header[5] || header[6] || header[7]) abi_give_up("malformed-frame", "flags and reserved bytes must be 0");
  frame.body = malloc(frame.length + 1);
  if (!frame.body) _exit(1);
  read_exactly(frame.body, frame.length);
  return frame;
}

void abi_drop(struct frame *frame) {
  explicit_bzero(frame->body, frame->length);
  free(frame->body);
}

// The next field of a body; false at its end. An unknown critical tag is the caller's to refuse.
bool abi_next(struct slice *rest, uint16_t *tag, struct slice *value) {
  if (rest->length == 0) return false;
  if (rest->length < 6) abi_give_up("malformed-frame", "a field is cut off");
  size_t length = abi_integer(rest->bytes + 2, 4);
  if (length > rest->length - 6) abi_give_up("malformed-frame", "a field is longer than its frame");
  *tag = (uint16_t)abi_integer(rest->bytes, 2);
  *value = (struct slice){rest->bytes + 6, length};
  *rest = (struct slice){rest->bytes + 6 + length, rest->length - 6 - length};
  return true;
}

// The field with this tag, which must have that many bytes where size is not 0.
struct slice abi_find(const struct frame *frame, uint16_t wanted, size_t size) {
  struct slice rest = {frame->body, frame->length}, value, found = {NULL, 0};
  uint16_t tag;
  while (abi_next(&rest, &tag, &value)) {
    if (tag == wanted) found = value;
    else if ((tag & 0x8000) && !(frame->kind == CALL && tag == 0x8001))
      abi_give_up("unknown-critical-field", "a critical field is not known to this plugin");
  }
  if (!found.bytes) abi_give_up("missing-field", "the host left out a field");
  if (size && found.length != size) abi_give_up("malformed-frame", "an integer has the wrong size");
  return found;
}

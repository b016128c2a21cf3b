// The plugin's side of the Nexus ABI, version 1, written from sdk/spec/abi-v1.md alone. One thread, no dependencies.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kind {
  HELLO = 1, WELCOME = 2, ABORT = 3, INITIALIZE = 16, INITIALIZED = 17, START = 18, STARTED = 19, STOP = 20,
  STOPPED = 21, DISPOSE = 22, DISPOSED = 23, PING = 24, PONG = 25, CALL = 32, RESULT = 33, ERROR = 34, CANCELLED = 35,
  CANCEL = 36, HOST_CALL = 48, LOG = 64,
};
enum { HEADER_BYTES = 16, BODY_LIMIT = 4 << 20, CREDENTIAL_LIMIT = 16, SOCKET = 3 };
enum level { DEBUG = 1, INFO = 2, WARNING = 3, FAULT = 4 };

struct slice {
  const uint8_t *bytes;
  size_t length;
};

struct frame {
  uint8_t kind;
  uint64_t stream;
  size_t length;
  uint8_t *body;  // owned; abi_drop wipes it
};

struct writer {
  uint8_t *bytes;  // starts with room for the header
  size_t length, capacity;
};

struct credential {
  struct slice name, value;
};

struct call {
  uint64_t stream, deadline;
  struct slice tool, arguments, request_id;
  struct credential credentials[CREDENTIAL_LIMIT];
  size_t credential_count;
};

struct plugin {
  const char *name;
  uint32_t minimum, maximum;               // versions offered
  void (*call)(const struct call *call);   // answers with abi_result, abi_error or abi_cancelled
  bool (*intercept)(enum kind received);   // may be NULL; true: it has been dealt with
};

// Speaks from hello to disposed; returns the exit status.
int abi_run(const struct plugin *plugin);

void abi_field(struct writer *writer, uint16_t tag, const void *bytes, size_t length);
void abi_number(struct writer *writer, uint16_t tag, uint64_t value, size_t size);
void abi_send(enum kind kind, uint64_t stream, struct writer *writer);  // writer may be NULL; it is freed
void abi_send_raw(const void *bytes, size_t length);

void abi_result(uint64_t stream, const char *json, size_t length);
void abi_error(uint64_t stream, const char *code, const char *message);
void abi_cancelled(uint64_t stream, const char *reason);
void abi_log(uint64_t stream, enum level level, const char *text);

// Handles what arrives within that time; true as soon as this call was cancelled, or must end because of a stop.
bool abi_wait(uint64_t stream, int milliseconds);

// The parts, for plugins that speak on their own.
struct frame abi_read(size_t limit);
void abi_drop(struct frame *frame);  // wipes and frees
void abi_give_up(const char *code, const char *message);
uint64_t abi_integer(const uint8_t *bytes, size_t size);
bool abi_next(struct slice *rest, uint16_t *tag, struct slice *value);
struct slice abi_find(const struct frame *frame, uint16_t tag, size_t size);

// Set to write byte by byte with a pause after each.
extern int abi_pause_microseconds;

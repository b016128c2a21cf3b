// The probe: a plugin that plays a script against its host and reports what the host did. Written from
// sdk/spec/abi-v1.md alone; see HOSTS.md for the script's words. One thread, one process, no dependencies.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kind {
  HELLO = 1, WELCOME = 2, ABORT = 3, INITIALIZE = 16, INITIALIZED = 17, START = 18, STARTED = 19, STOP = 20,
  STOPPED = 21, DISPOSE = 22, DISPOSED = 23, PING = 24, PONG = 25, CALL = 32, RESULT = 33, ERROR = 34, CANCELLED = 35,
  CANCEL = 36, PROGRESS = 37, DATA = 38, CREDIT = 39, TOOLS = 40, HOST_CALL = 48, LOG = 64,
};
enum { HEADER_BYTES = 16, BODY_LIMIT = 4 << 20, SOCKET = 3, CREDENTIAL_TAG = 0x8001, INITIAL_CREDIT = 262144 };

struct slice {
  const uint8_t *bytes;
  size_t length;
};

struct frame {
  uint8_t kind;
  uint64_t stream;
  size_t length;
  uint8_t *body;
};

struct text {
  char *bytes;
  size_t length, capacity;
};

// wire.c: bytes and frames
uint64_t now(void);  // Unix milliseconds
uint64_t integer(const uint8_t *bytes, size_t size);
void put_integer(struct text *body, uint64_t value, size_t size);
void put(struct text *text, const void *bytes, size_t length);
void put_field(struct text *body, uint16_t tag, const void *bytes, size_t length);
void put_number(struct text *body, uint16_t tag, uint64_t value, size_t size);
void send_bytes(const void *bytes, size_t length);
void send_frame(enum kind kind, uint64_t stream, struct text *body);  // body may be NULL; it is emptied
void send_coded(enum kind kind, uint64_t stream, const char *code, const char *message);
struct frame read_frame(void);                     // leaves the process at the end of the stream
bool is_readable(int milliseconds);
bool next_field(struct slice *rest, uint16_t *tag, struct slice *value);
struct slice field(const struct frame *frame, uint16_t tag);
void add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));  // one line on standard error
extern int pause_microseconds;                     // set to write byte by byte with a pause after each

// journal.c: what the host did
void note(const struct frame *frame);              // remembers a frame of the host
void note_terminated(int signal);                  // a signal handler
unsigned seen(enum kind kind);                     // how many frames of that kind came
void report(struct text *json, int count, char **arguments);

// The plugin that `make bench` calls: one read(2) for the calls that have arrived and one write(2) for their answers,
// so that what is measured is the host. Its 1 MiB is made once, before the first call.
#define _GNU_SOURCE
#include "../../Fixtures/plugins/abi.h"
#include "../../Fixtures/plugins/text.h"

#include <string.h>
#include <unistd.h>

enum { DATA = 38, CREDIT = 39, MEGABYTE = 1 << 20, PIECE = 64 << 10, FIELD_BYTES = 6 };

static uint8_t input[2 * MEGABYTE + (64 << 10)], answer[HEADER_BYTES + 2 * FIELD_BYTES + 2 + MEGABYTE];

static void put(uint8_t *bytes, uint64_t value, size_t size) {
  for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)(value >> (8 * i));
}

static uint8_t *field(uint8_t *bytes, uint16_t tag, size_t length) {
  put(bytes, tag, 2);
  put(bytes + 2, length, 4);
  return bytes + FIELD_BYTES;
}

// A frame whose `length` bytes are in place already; a result has its JSON before them.
static void send_in_place(enum kind kind, uint64_t stream, size_t length) {
  uint8_t *end = answer + HEADER_BYTES;
  if (kind == RESULT) {
    memcpy(field(end, 1, 2), "{}", 2);
    end += FIELD_BYTES + 2;
  }
  end = field(end, kind == RESULT ? 2 : 1, length) + length;
  put(answer, (size_t)(end - answer) - HEADER_BYTES, 4);
  put(answer + 4, kind, 4);
  put(answer + 8, stream, 8);
  abi_send_raw(answer, (size_t)(end - answer));
}

// Answers that leave together.
static uint8_t output[64 << 10];
static size_t ready = 0;

static void flush(void) {
  abi_send_raw(output, ready);
  ready = 0;
}

static void answer_with(uint64_t stream, struct slice json) {
  const size_t length = HEADER_BYTES + FIELD_BYTES + json.length;
  if (length > sizeof output - ready) flush();
  if (length > sizeof output) return abi_result(stream, (const char *)json.bytes, json.length);
  uint8_t *bytes = output + ready;
  put(bytes, FIELD_BYTES + json.length, 4);
  put(bytes + 4, RESULT, 4);
  put(bytes + 8, stream, 8);
  memcpy(field(bytes + HEADER_BYTES, 1, json.length), json.bytes, json.length);
  ready += length;
}

// One call at a time sends pieces; another one waits in the input meanwhile.
static uint64_t sending = 0;
static size_t left = 0, credit = 0;

static void send_pieces(void) {
  while (sending && left > 0 && credit > 0) {
    size_t length = left < PIECE ? left : PIECE;
    if (length > credit) length = credit;
    send_in_place((enum kind)DATA, sending, length);
    left -= length;
    credit -= length;
  }
  if (!sending || left > 0) return;
  abi_result(sending, "{}", 2);
  sending = 0;
}

static void serve(const struct frame *frame) {
  struct slice tool = abi_find(frame, 1, 0), arguments = abi_find(frame, 2, 0);
  if (slice_is(tool, "echo") || slice_is(tool, "lent")) {
    answer_with(frame->stream, arguments);
  } else if (slice_is(tool, "megabyte")) {
    send_in_place(RESULT, frame->stream, MEGABYTE);
  } else if (slice_is(tool, "pieces") && !sending) {
    sending = frame->stream;
    left = MEGABYTE;
    credit = 256 << 10;
    send_pieces();
  } else {
    abi_error(frame->stream, "unavailable", "the bench calls echo, lent, megabyte, and pieces one at a time");
  }
}

static void pong(const struct frame *frame) {
  struct writer writer = {0};
  abi_number(&writer, 1, abi_integer(abi_find(frame, 1, 8).bytes, 8), 8);
  abi_send(PONG, 0, &writer);
}

// False when it is time to go.
static bool take(const struct frame *frame) {
  if (frame->kind != CALL) flush();
  switch ((int)frame->kind) {
    case INITIALIZE: abi_send(INITIALIZED, 0, NULL); return true;
    case START: abi_send(STARTED, 0, NULL); return true;
    case CALL: serve(frame); return true;
    case PING: pong(frame); return true;
    case STOP: abi_send(STOPPED, 0, NULL); return true;
    case CREDIT:
      if (frame->stream == sending) credit += (size_t)abi_integer(abi_find(frame, 1, 4).bytes, 4);
      send_pieces();
      return true;
    case DISPOSE: abi_send(DISPOSED, 0, NULL); return false;
    default: return frame->kind != ABORT;
  }
}

int main(void) {
  memset(answer, 'x', sizeof answer);
  struct writer hello = {0};
  abi_number(&hello, 1, 1, 4);
  abi_number(&hello, 2, 1, 4);
  abi_field(&hello, 3, "bench", 5);
  abi_send(HELLO, 0, &hello);
  for (size_t end = 0;;) {
    ssize_t count = read(SOCKET, input + end, sizeof input - end);
    if (count <= 0) return count != 0;
    end += (size_t)count;
    size_t begin = 0;
    for (;;) {
      if (end - begin < HEADER_BYTES) break;
      size_t length = abi_integer(input + begin, 4);
      if (length > sizeof input - HEADER_BYTES) abi_give_up("frame-too-large", "the bench sends 1 MiB at most");
      if (end - begin < HEADER_BYTES + length) break;
      struct frame frame = {
        .kind = input[begin + 4], .stream = abi_integer(input + begin + 8, 8), .length = length,
        .body = input + begin + HEADER_BYTES};
      if (!take(&frame)) return 0;
      begin += HEADER_BYTES + length;
    }
    flush();
    memmove(input, input + begin, end - begin);
    end -= begin;
  }
}

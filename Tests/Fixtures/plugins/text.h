// Just enough text for test plugins: JSON out, and members of small, already validated JSON in.
#pragma once
#include "abi.h"

struct text {
  char *bytes;
  size_t length, capacity;
};

void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_add_string(struct text *text, const void *bytes, size_t length);  // quoted, anything unusual escaped
bool json_member(struct slice json, const char *name, char *value, size_t capacity);  // a string or number, unescaped
bool slice_is(struct slice slice, const char *text);

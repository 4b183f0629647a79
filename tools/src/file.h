/* Whole files in and out. */
#ifndef TOOL_FILE_H
#define TOOL_FILE_H

#include <stddef.h>

#include <halyard/status.h>

/* Reads a regular file of at most 8 GiB; free() the bytes, which end with a 0 that is not counted. */
hy_status tool_file_read(const char *path, void **out_bytes, size_t *out_length, hy_error *error);

/* Writes head and body to a temporary file beside path, then renames it. */
hy_status tool_file_write(const char *path, const void *head, size_t head_length, const void *body, size_t body_length,
                          hy_error *error);

/* The last dot and what follows it, or "". Lent by path. */
const char *tool_file_extension(const char *path);

#endif

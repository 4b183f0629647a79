/* Statuses, failure scopes and the error record that every room and plugin shares. */
#ifndef HALYARD_STATUS_H
#define HALYARD_STATUS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define HY_PRINTF(format_index, first_index) __attribute__((format(printf, format_index, first_index)))
#else
#define HY_PRINTF(format_index, first_index)
#endif

/* X(NAME, value, text). A code exists only if some caller acts differently on it; values never change. */
#define HY_STATUS_LIST(X)                                            \
	X(OK, 0, "done")                                             \
	X(INVALID, 1, "bad argument, file or state: fix the caller") \
	X(UNSUPPORTED, 2, "not possible here: try elsewhere")        \
	X(NOT_FOUND, 3, "no such file, plugin, device or name")      \
	X(NO_MEMORY, 4, "host or device memory exhausted")           \
	X(TIMEOUT, 5, "the wait ended before the work did")          \
	X(DEVICE_LOST, 6, "device is gone: close it and reopen")     \
	X(INCOMPATIBLE, 7, "ABI or hardware does not match")         \
	X(BUSY, 8, "in use: try again later")                        \
	X(CANCELLED, 9, "given up before it ran")                    \
	X(INTERNAL, 10, "broken invariant: a bug on this side")

/* How far a failure reaches: what must be thrown away before work may go on. */
#define HY_SCOPE_LIST(X)                                  \
	X(CALL, 0, "this call only")                      \
	X(QUEUE, 1, "everything submitted to this queue") \
	X(DEVICE, 2, "everything on this device")         \
	X(PROCESS, 3, "every device of this plugin in this process")

typedef int32_t hy_status;
enum {
#define X(name, value, text) HY_##name = (value),
	HY_STATUS_LIST(X)
#undef X
};

typedef uint32_t hy_scope;
enum {
#define X(name, value, text) HY_SCOPE_##name = (value),
	HY_SCOPE_LIST(X)
#undef X
};

#define HY_ERROR_TEXT_BYTES 512

/* What went wrong, filled by the callee where the caller passes one; NULL is always allowed.
 * Untouched on success. `text` is one line: what, where (file, node, line:column, plugin), and one fix. */
typedef struct hy_error {
	hy_status status;
	hy_scope scope;
	int32_t native; /* the vendor's own error number, 0 when there is none */
	char text[HY_ERROR_TEXT_BYTES];
} hy_error;

/* What the status means; never NULL, also for values that do not exist. Threads: any. */
const char *hy_status_text(hy_status status);

/* The name without its prefix ("NO_MEMORY"); "?" for values that do not exist. Threads: any. */
const char *hy_status_name(hy_status status);
const char *hy_scope_name(hy_scope scope);

/* Writes status, scope CALL and the formatted line (cut at the record's length) and returns status,
 * so that `return hy_error_set(error, HY_INVALID, "...")` is one statement. error may be NULL. */
hy_status hy_error_set(hy_error *error, hy_status status, const char *format, ...) HY_PRINTF(3, 4);

#ifdef __cplusplus
}
#endif
#endif

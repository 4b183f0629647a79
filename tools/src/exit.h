/* Exit codes: one table for all commands, the same in the man page and in the program. */
#ifndef TOOL_EXIT_H
#define TOOL_EXIT_H

/* X(NAME, code, text). Codes never change. */
#define TOOL_EXIT_LIST(X)                                                                                   \
	X(OK, 0, "done; for a check: passed")                                                               \
	X(NO, 1, "the check ran and the answer is no")                                                      \
	X(USAGE, 2, "usage error, or an input file that does not fit the model")                            \
	X(CONFIGURATION, 3, "configuration file invalid")                                                   \
	X(PLUGIN, 4, "a plugin could not be loaded, or its ABI is refused")                                 \
	X(NO_DEVICE, 5, "no usable device")                                                                 \
	X(MODEL, 6, "model refused: not readable, not ONNX, or with an operator that cannot run")           \
	X(DOES_NOT_FIT, 7, "no plan fits into the devices' memory; the message has the shortfall in bytes") \
	X(DEVICE, 8, "a device failed at run time")                                                         \
	X(BUSY, 9, "resource busy")                                                                         \
	X(SKIPPED, 77, "skipped: nothing to do here")                                                       \
	X(TIME, 124, "time limit reached")

typedef enum tool_exit {
#define X(name, code, text) TOOL_EXIT_##name = (code),
	TOOL_EXIT_LIST(X)
#undef X
} tool_exit;

#endif

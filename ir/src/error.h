/* Error texts of the room. */
#ifndef HY_IR_ERROR_H
#define HY_IR_ERROR_H

#include <halyard/status.h>

hy_status hy_ir__no_memory(hy_error *error);

/* Puts the formatted words and ": " before the text that is there ("model.onnx: node 'a' (Conv): ..."), keeps what
 * else error says, and returns status. */
hy_status hy_ir__error_within(hy_error *error, hy_status status, const char *format, ...) HY_PRINTF(3, 4);

/* Names are printed with "%.*s" and this precision, so that a hostile one can't push the rule out of the text. */
#define HY_IR__NAME_LIMIT 100

#endif

/* A cursor over protobuf's wire format: bounds-checked, without copies. Unknown fields cost one step each.
 *
 *     hy_ir__wire_field field;
 *     while (hy_ir__wire_next(&wire, &field)) ...
 *     if (wire.fault != NULL) ... */
#ifndef HY_IR_ONNX_WIRE_H
#define HY_IR_ONNX_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct hy_ir__wire {
	const uint8_t *at, *end;
	const char *fault; /* what is wrong with the bytes, or NULL; a faulty cursor stays at its end */
} hy_ir__wire;

enum { HY_IR__WIRE_VARINT = 0, HY_IR__WIRE_64 = 1, HY_IR__WIRE_BYTES = 2, HY_IR__WIRE_32 = 5 };

typedef struct hy_ir__wire_field {
	uint32_t number, kind;
	uint64_t value; /* VARINT, 64 and 32 */
	const uint8_t *bytes; /* BYTES */
	size_t length;
} hy_ir__wire_field;

hy_ir__wire hy_ir__wire_open(const void *bytes, size_t length);
/* False at the end and at a fault. */
bool hy_ir__wire_next(hy_ir__wire *wire, hy_ir__wire_field *out_field);
/* The message that a BYTES field holds; for any other kind a cursor with a fault. */
hy_ir__wire hy_ir__wire_message(const hy_ir__wire_field *field);

/* Walks the elements of a repeated number, packed or not: false when there is no further one. Start with *inout_at 0.
 * kind is how one element is stored: VARINT, 64 or 32. */
bool hy_ir__wire_number(const hy_ir__wire_field *field, uint32_t kind, size_t *inout_at, uint64_t *out_value,
                        const char **out_fault);

#endif

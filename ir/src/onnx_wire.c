/* The wire cursor. Source: protobuf.dev/programming-guides/encoding. */
#include "onnx_wire.h"

#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "constants are used where they lie in the file, which is little-endian"
#endif

hy_ir__wire hy_ir__wire_open(const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	return (hy_ir__wire){.at = at, .end = length > 0 ? at + length : at};
}

static bool stop(hy_ir__wire *wire, const char *fault)
{
	wire->fault = fault;
	wire->at = wire->end;
	return false;
}

static bool take_varint(hy_ir__wire *wire, uint64_t *out_value)
{
	uint64_t value = 0;
	for (uint32_t shift = 0; shift < 70; shift += 7) {
		if (wire->at == wire->end) return stop(wire, "ends inside a number");
		const uint8_t byte = *wire->at++;
		if (shift == 63 && (byte & 0x7e) != 0) break;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*out_value = value;
			return true;
		}
	}
	return stop(wire, "has a number longer than 64 bits");
}

static bool take_fixed(hy_ir__wire *wire, size_t length, uint64_t *out_value)
{
	if ((size_t)(wire->end - wire->at) < length) return stop(wire, "ends inside a number");
	*out_value = 0;
	memcpy(out_value, wire->at, length);
	wire->at += length;
	return true;
}

bool hy_ir__wire_next(hy_ir__wire *wire, hy_ir__wire_field *out_field)
{
	if (wire->at == wire->end) return false;
	uint64_t key, length;
	if (!take_varint(wire, &key)) return false;
	if (key >> 3 == 0 || key >> 3 > 0x1fffffff) return stop(wire, "has a field number out of range");
	*out_field = (hy_ir__wire_field){.number = (uint32_t)(key >> 3), .kind = (uint32_t)(key & 7)};
	switch (out_field->kind) {
	case HY_IR__WIRE_VARINT:
		return take_varint(wire, &out_field->value);
	case HY_IR__WIRE_64:
		return take_fixed(wire, 8, &out_field->value);
	case HY_IR__WIRE_32:
		return take_fixed(wire, 4, &out_field->value);
	case HY_IR__WIRE_BYTES:
		if (!take_varint(wire, &length)) return false;
		if (length > (uint64_t)(wire->end - wire->at)) return stop(wire, "ends inside a field");
		out_field->bytes = wire->at;
		out_field->length = (size_t)length;
		wire->at += length;
		return true;
	default:
		return stop(wire, "has a field of a kind that ONNX does not use");
	}
}

hy_ir__wire hy_ir__wire_message(const hy_ir__wire_field *field)
{
	if (field->kind != HY_IR__WIRE_BYTES) return (hy_ir__wire){.fault = "has a message stored in the wrong way"};
	return hy_ir__wire_open(field->bytes, field->length);
}

bool hy_ir__wire_number(const hy_ir__wire_field *field, uint32_t kind, size_t *inout_at, uint64_t *out_value,
                        const char **out_fault)
{
	if (field->kind == kind) {
		*out_value = field->value;
		return (*inout_at)++ == 0;
	}
	if (field->kind != HY_IR__WIRE_BYTES) {
		*out_fault = "has a number stored in the wrong way";
		return false;
	}
	if (*inout_at == field->length) return false;
	hy_ir__wire wire = hy_ir__wire_open(field->bytes, field->length);
	wire.at += *inout_at;
	const bool found = kind == HY_IR__WIRE_VARINT ? take_varint(&wire, out_value)
	                                              : take_fixed(&wire, kind == HY_IR__WIRE_64 ? 8 : 4, out_value);
	*inout_at = (size_t)(wire.at - field->bytes);
	if (!found) *out_fault = wire.fault;
	return found;
}

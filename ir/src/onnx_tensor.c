/* TensorProto: element data used where it lies, or decoded from the typed fields and checked. */
#include "onnx_read.h"

#include <halyard/ir/onnx.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Field numbers of TensorProto. */
enum {
	DIMS = 1,
	DATA_TYPE = 2,
	SEGMENT = 3,
	FLOAT_DATA = 4,
	INT32_DATA = 5,
	STRING_DATA = 6,
	INT64_DATA = 7,
	NAME = 8,
	RAW_DATA = 9,
	DOUBLE_DATA = 10,
	UINT64_DATA = 11,
	EXTERNAL_DATA = 13,
	DATA_LOCATION = 14,
};

/* Which typed field holds a dtype (onnx.proto, comments of TensorProto), how one number is stored there, and the range
 * of the integers. */
typedef struct typed_field {
	uint32_t field, kind;
	int64_t low, high;
} typed_field;

static const typed_field storages[] = {
	[HY_DTYPE_F32] = {FLOAT_DATA, HY_IR__WIRE_32, 0, 0},
	[HY_DTYPE_U8] = {INT32_DATA, HY_IR__WIRE_VARINT, 0, UINT8_MAX},
	[HY_DTYPE_I8] = {INT32_DATA, HY_IR__WIRE_VARINT, INT8_MIN, INT8_MAX},
	[HY_DTYPE_U16] = {INT32_DATA, HY_IR__WIRE_VARINT, 0, UINT16_MAX},
	[HY_DTYPE_I16] = {INT32_DATA, HY_IR__WIRE_VARINT, INT16_MIN, INT16_MAX},
	[HY_DTYPE_I32] = {INT32_DATA, HY_IR__WIRE_VARINT, INT32_MIN, INT32_MAX},
	[HY_DTYPE_I64] = {INT64_DATA, HY_IR__WIRE_VARINT, INT64_MIN, INT64_MAX},
	[HY_DTYPE_STRING] = {STRING_DATA, HY_IR__WIRE_BYTES, 0, 0},
	[HY_DTYPE_BOOL] = {INT32_DATA, HY_IR__WIRE_VARINT, 0, 1},
	[HY_DTYPE_F16] = {INT32_DATA, HY_IR__WIRE_VARINT, 0, UINT16_MAX},
	[HY_DTYPE_F64] = {DOUBLE_DATA, HY_IR__WIRE_64, 0, 0},
	[HY_DTYPE_U32] = {UINT64_DATA, HY_IR__WIRE_VARINT, 0, UINT32_MAX},
	[HY_DTYPE_U64] = {UINT64_DATA, HY_IR__WIRE_VARINT, INT64_MIN, INT64_MAX},
	[HY_DTYPE_BF16] = {INT32_DATA, HY_IR__WIRE_VARINT, 0, UINT16_MAX},
};

typedef struct tensor_reader {
	hy_ir__onnx *onnx;
	hy_ir__wire wire;
	hy_ir__onnx_tensor tensor;
	const typed_field *storage;
	const uint8_t *raw;
	size_t raw_length;
	hy_ir__wire_field typed; /* the last typed field that holds anything */
	uint32_t typed_count; /* how many such fields there are: more than one when numbers are not packed */
	bool has_raw, is_external;
	hy_ir__onnx_external external;
} tensor_reader;

static hy_status read_dims(tensor_reader *reader, const hy_ir__wire_field *field)
{
	hy_ir_type *type = &reader->tensor.type;
	size_t at = 0;
	uint64_t dim;
	const char *fault = NULL;
	while (hy_ir__wire_number(field, HY_IR__WIRE_VARINT, &at, &dim, &fault)) {
		if (type->rank == HY_MAX_RANK)
			return hy_error_set(reader->onnx->error, HY_UNSUPPORTED, "its rank is above %u", HY_MAX_RANK);
		if (dim > INT64_MAX) return hy_error_set(reader->onnx->error, HY_INVALID, "has a negative dimension");
		type->dim[type->rank++] = (int64_t)dim;
	}
	return fault == NULL ? HY_OK : hy_error_set(reader->onnx->error, HY_INVALID, "%s", fault);
}

static hy_status read_external(tensor_reader *reader, const hy_ir__wire_field *entry)
{
	const char *key = "", *value = "";
	hy_ir__wire wire = hy_ir__wire_message(entry);
	hy_ir__wire_field field;
	hy_status status = HY_OK;
	while (status == HY_OK && hy_ir__wire_next(&wire, &field)) {
		if (field.number == 1) status = hy_ir__onnx_text(reader->onnx, &field, "external data key", &key);
		if (field.number == 2) status = hy_ir__onnx_text(reader->onnx, &field, "external data", &value);
	}
	if (status == HY_OK) status = hy_ir__onnx_check(reader->onnx, &wire, "external data");
	if (status != HY_OK) return status;
	const char **target = strcmp(key, "location") == 0 ? &reader->external.location
	                      : strcmp(key, "offset") == 0 ? &reader->external.offset
	                      : strcmp(key, "length") == 0 ? &reader->external.length
	                                                   : NULL;
	if (target == NULL) return HY_OK;
	if (*target != NULL)
		return hy_error_set(reader->onnx->error, HY_INVALID, "external data: '%s' is given twice", key);
	*target = value;
	return HY_OK;
}

static hy_status read_field(tensor_reader *reader, const hy_ir__wire_field *field)
{
	hy_ir__onnx *onnx = reader->onnx;
	int64_t number = 0;
	hy_status status = HY_OK;
	switch (field->number) {
	case DIMS:
		return read_dims(reader, field);
	case DATA_TYPE:
		status = hy_ir__onnx_int(onnx, field, "data_type", &number);
		reader->tensor.type.dtype = number > 0 && number <= UINT32_MAX ? (hy_dtype)number : HY_DTYPE_NONE;
		return status;
	case SEGMENT:
		return hy_error_set(onnx->error, HY_UNSUPPORTED, "is cut into segments");
	case RAW_DATA:
		if (field->kind != HY_IR__WIRE_BYTES)
			return hy_error_set(onnx->error, HY_INVALID, "raw_data is stored in the wrong way");
		reader->has_raw = true;
		reader->raw = field->bytes;
		reader->raw_length = field->length;
		return HY_OK;
	case FLOAT_DATA:
	case INT32_DATA:
	case STRING_DATA:
	case INT64_DATA:
	case DOUBLE_DATA:
	case UINT64_DATA:
		if (field->kind == HY_IR__WIRE_BYTES && field->length == 0 && field->number != STRING_DATA)
			return HY_OK;
		reader->typed = *field;
		if (reader->typed_count < 2) reader->typed_count++;
		return HY_OK;
	case EXTERNAL_DATA:
		return read_external(reader, field);
	case DATA_LOCATION:
		status = hy_ir__onnx_int(onnx, field, "data_location", &number);
		if (status == HY_OK && number != 0 && number != 1)
			return hy_error_set(onnx->error, HY_INVALID, "its data_location is unknown");
		reader->is_external = number == 1;
		return status;
	default:
		return HY_OK;
	}
}

static bool is_typed_field(uint32_t number)
{
	return (number >= FLOAT_DATA && number <= INT64_DATA) || number == DOUBLE_DATA || number == UINT64_DATA;
}

static void store(void *block, int64_t index, uint32_t width, uint64_t value)
{
	memcpy((char *)block + (size_t)index * width, &value, width);
}

/* Walks the typed fields; block NULL only counts the elements and checks their range. */
static hy_status walk_typed(tensor_reader *reader, void *block, int64_t *out_count)
{
	const typed_field *storage = reader->storage;
	const uint32_t width = hy_dtype_bits(reader->tensor.type.dtype) / 8;
	hy_ir__wire wire = reader->wire;
	hy_ir__wire_field field;
	int64_t count = 0;
	while (hy_ir__wire_next(&wire, &field)) {
		if (!is_typed_field(field.number)) continue;
		if (field.number != storage->field && (field.kind != HY_IR__WIRE_BYTES || field.length > 0))
			return hy_error_set(reader->onnx->error, HY_INVALID,
			                    "its data is in the field of another type");
		if (storage->field == STRING_DATA) {
			count++;
			continue;
		}
		size_t at = 0;
		uint64_t value = 0;
		const char *fault = NULL;
		while (hy_ir__wire_number(&field, storage->kind, &at, &value, &fault)) {
			if (storage->low < storage->high &&
			    ((int64_t)value < storage->low || (int64_t)value > storage->high))
				return hy_error_set(reader->onnx->error, HY_INVALID,
				                    "element %lld is out of range of %s", (long long)count,
				                    hy_dtype_name(reader->tensor.type.dtype));
			if (block != NULL) store(block, count, width, value);
			count++;
		}
		if (fault != NULL) return hy_error_set(reader->onnx->error, HY_INVALID, "%s", fault);
	}
	*out_count = count;
	return HY_OK;
}

static hy_status take_block(tensor_reader *reader, void *block)
{
	reader->tensor.memory = hy_ir__memory_own(block, hy_ir_type_bytes(&reader->tensor.type));
	if (reader->tensor.memory == NULL) {
		free(block);
		return hy_ir__no_memory(reader->onnx->error);
	}
	reader->tensor.data = block;
	return HY_OK;
}

static hy_status read_typed(tensor_reader *reader)
{
	const hy_ir_type *type = &reader->tensor.type;
	const int64_t elements = hy_ir_type_elements(type);
	int64_t count = 0;
	/* Counted first: the allocation below is then no larger than what the file really holds. */
	hy_status status = walk_typed(reader, NULL, &count);
	if (status != HY_OK) return status;
	if (count != elements)
		return hy_error_set(reader->onnx->error, HY_INVALID, "has %lld elements, but its shape needs %lld",
		                    (long long)count, (long long)elements);
	const uint64_t length = hy_ir_type_bytes(type);
	void *block = calloc(length > 0 ? length : 1, 1);
	if (block == NULL) return hy_ir__no_memory(reader->onnx->error);
	if (type->dtype != HY_DTYPE_STRING) (void)walk_typed(reader, block, &count);
	return take_block(reader, block);
}

/* Data that lies somewhere: checked, and copied only when it isn't aligned. */
static hy_status use_bytes(tensor_reader *reader, const void *data, hy_ir__memory *take_memory)
{
	const hy_ir_type *type = &reader->tensor.type;
	const uint64_t length = hy_ir_type_bytes(type);
	const uint8_t *bytes = data;
	for (uint64_t i = 0; type->dtype == HY_DTYPE_BOOL && i < length; i++) {
		if (bytes[i] <= 1) continue;
		hy_ir__memory_release(take_memory);
		return hy_error_set(reader->onnx->error, HY_INVALID, "element %llu is out of range of bool",
		                    (unsigned long long)i);
	}
	reader->tensor.data = data;
	reader->tensor.memory = take_memory;
	if ((uintptr_t)data % (hy_dtype_bits(type->dtype) / 8) == 0 && length > 0) return HY_OK;
	void *block = malloc(length > 0 ? length : 1);
	if (block != NULL && length > 0) memcpy(block, data, length);
	if (take_memory != NULL) hy_ir__memory_forget(take_memory, data, length);
	hy_ir__memory_release(take_memory);
	reader->tensor.memory = NULL;
	return block != NULL ? take_block(reader, block) : hy_ir__no_memory(reader->onnx->error);
}

/* Packed floats have the bytes of raw_data. */
static bool is_packed_whole(const tensor_reader *reader, uint64_t length)
{
	const hy_ir__wire_field *field = &reader->typed;
	return reader->typed_count == 1 && field->kind == HY_IR__WIRE_BYTES && field->length == length &&
	       field->number == reader->storage->field && (field->number == FLOAT_DATA || field->number == DOUBLE_DATA);
}

static hy_status read_data(tensor_reader *reader)
{
	hy_ir__onnx *onnx = reader->onnx;
	const hy_ir_type *type = &reader->tensor.type;
	const uint64_t length = hy_ir_type_bytes(type);
	if (reader->is_external) {
		const void *data;
		hy_ir__memory *memory;
		if (reader->has_raw || reader->typed_count > 0)
			return hy_error_set(onnx->error, HY_INVALID, "has data both inside and outside the file");
		if (type->dtype == HY_DTYPE_STRING)
			return hy_error_set(onnx->error, HY_INVALID, "strings can't be external data");
		hy_status status = hy_ir__onnx_external_data(onnx, &reader->external, length, &data, &memory);
		return status == HY_OK ? use_bytes(reader, data, memory) : status;
	}
	if (!reader->has_raw && is_packed_whole(reader, length))
		return use_bytes(reader, reader->typed.bytes, hy_ir__memory_retain(onnx->memory));
	if (!reader->has_raw) return read_typed(reader);
	if (reader->typed_count > 0) return hy_error_set(onnx->error, HY_INVALID, "has both raw_data and typed data");
	if (type->dtype == HY_DTYPE_STRING) return hy_error_set(onnx->error, HY_INVALID, "strings can't be raw_data");
	if (reader->raw_length != length)
		return hy_error_set(onnx->error, HY_INVALID, "raw_data has %zu bytes, but the shape needs %llu",
		                    reader->raw_length, (unsigned long long)length);
	return use_bytes(reader, reader->raw, hy_ir__memory_retain(onnx->memory));
}

static hy_status read_all(tensor_reader *reader)
{
	hy_ir__onnx *onnx = reader->onnx;
	hy_ir__wire wire = reader->wire;
	hy_ir__wire_field field;
	hy_status status = HY_OK;
	/* First, because writers put it behind what may be refused. */
	while (status == HY_OK && hy_ir__wire_next(&wire, &field))
		if (field.number == NAME) status = hy_ir__onnx_text(onnx, &field, "tensor name", &reader->tensor.name);
	wire = reader->wire;
	while (status == HY_OK && hy_ir__wire_next(&wire, &field))
		status = read_field(reader, &field);
	if (status == HY_OK) status = hy_ir__onnx_check(onnx, &wire, "tensor");
	if (status != HY_OK) return status;
	const hy_dtype dtype = reader->tensor.type.dtype;
	if (dtype == HY_DTYPE_NONE) return hy_error_set(onnx->error, HY_INVALID, "has no data_type");
	if (dtype >= sizeof(storages) / sizeof(storages[0]) || storages[dtype].field == 0)
		return hy_error_set(onnx->error, HY_UNSUPPORTED, "element type %u is not supported", dtype);
	reader->storage = &storages[dtype];
	const char *fault = hy_ir__type_fault(&reader->tensor.type);
	if (fault != NULL) return hy_error_set(onnx->error, HY_INVALID, "%s", fault);
	return read_data(reader);
}

hy_status hy_ir__onnx_tensor_read(hy_ir__onnx *onnx, hy_ir__wire wire, hy_ir__onnx_tensor *out_tensor)
{
	tensor_reader reader = {.onnx = onnx, .wire = wire, .tensor = {.name = ""}};
	hy_status status = read_all(&reader);
	if (status != HY_OK)
		return hy_ir__error_within(onnx->error, status, "tensor '%.*s'", HY_IR__NAME_LIMIT, reader.tensor.name);
	*out_tensor = reader.tensor;
	return HY_OK;
}

static hy_status read_file(hy_ir__onnx *onnx, hy_ir_tensor *out_tensor)
{
	hy_ir__onnx_tensor tensor;
	const hy_ir__wire wire = hy_ir__wire_open(hy_ir__memory_base(onnx->memory), hy_ir__memory_length(onnx->memory));
	hy_status status = hy_ir__onnx_tensor_read(onnx, wire, &tensor);
	if (status != HY_OK) return status;
	const uint64_t length = hy_ir_type_bytes(&tensor.type);
	void *block = malloc(length > 0 ? length : 1);
	if (block != NULL && length > 0) memcpy(block, tensor.data, length);
	hy_ir__memory_release(tensor.memory);
	if (block == NULL) return hy_ir__no_memory(onnx->error);
	if (tensor.type.dtype == HY_DTYPE_STRING) {
		free(block);
		return hy_error_set(onnx->error, HY_UNSUPPORTED, "tensor '%.*s': is of strings", HY_IR__NAME_LIMIT,
		                    tensor.name);
	}
	*out_tensor = (hy_ir_tensor){.type = tensor.type, .data = block};
	return HY_OK;
}

hy_status hy_ir_onnx_load_tensor(const char *path, hy_ir_tensor *out_tensor, hy_error *error)
{
	hy_ir__onnx onnx = {.folder = -1, .error = error};
	hy_status status = hy_ir__onnx_open(&onnx, path);
	if (status != HY_OK) return status;
	status = read_file(&onnx, out_tensor);
	hy_ir__onnx_finish(&onnx);
	return status == HY_OK ? HY_OK : hy_ir__error_within(error, status, "%s", path);
}

/* ONNX models written byte by byte, for tests of the reader: knows protobuf's wire format and nothing of the room. */
#ifndef HY_TEST_ONNX_BYTES_H
#define HY_TEST_ONNX_BYTES_H

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct bytes {
	uint8_t *at;
	size_t length;
} bytes;

static inline bytes add_raw(bytes to, const void *from, size_t length)
{
	to.at = realloc(to.at, to.length + length + 1);
	if (length > 0) memcpy(to.at + to.length, from, length);
	to.length += length;
	return to;
}

static inline bytes add_varint(bytes to, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		to = add_raw(to, &(uint8_t){(uint8_t)(value | 0x80)}, 1);
	return add_raw(to, &(uint8_t){(uint8_t)value}, 1);
}

static inline bytes add_int(bytes to, uint32_t field, int64_t value)
{
	return add_varint(add_varint(to, field << 3), (uint64_t)value);
}

static inline bytes add_data(bytes to, uint32_t field, const void *from, size_t length)
{
	return add_raw(add_varint(add_varint(to, field << 3 | 2), length), from, length);
}

static inline bytes add_text(bytes to, uint32_t field, const char *text)
{
	return add_data(to, field, text, strlen(text));
}

static inline bytes add_float(bytes to, uint32_t field, float value)
{
	return add_raw(add_varint(to, field << 3 | 5), &value, sizeof(value));
}

/* Takes the message. */
static inline bytes add_message(bytes to, uint32_t field, bytes message)
{
	to = add_data(to, field, message.at, message.length);
	free(message.at);
	return to;
}

/* TensorProto without data. dims end with -1. */
static inline bytes tensor_head(const char *name, int64_t dtype, const int64_t *dims)
{
	bytes tensor = {0};
	for (; dims != NULL && *dims != -1; dims++)
		tensor = add_int(tensor, 1, *dims);
	return add_text(add_int(tensor, 2, dtype), 8, name);
}

/* ValueInfoProto; dims end with -1, which a NULL name allows to be symbolic nowhere. */
static inline bytes value_info(const char *name, int64_t dtype, const int64_t *dims)
{
	bytes shape = {0}, tensor = {0}, type = {0}, info = {0};
	for (; *dims != -1; dims++)
		shape = add_message(shape, 1, add_int((bytes){0}, 1, *dims));
	tensor = add_message(add_int(tensor, 1, dtype), 2, shape);
	type = add_message(type, 1, tensor);
	return add_message(add_text(info, 1, name), 2, type);
}

/* NodeProto; inputs and outputs are separated by blanks, "-" is the empty name. */
static inline bytes node_of(const char *type, const char *inputs, const char *outputs)
{
	bytes node = {0};
	const char *const lists[] = {inputs, outputs};
	for (uint32_t i = 0; i < 2; i++) {
		char *copy = strdup(lists[i]), *rest = copy, *name;
		while ((name = strsep(&rest, " ")) != NULL)
			if (name[0] != '\0') node = add_text(node, i + 1, strcmp(name, "-") == 0 ? "" : name);
		free(copy);
	}
	return add_text(node, 4, type);
}

/* ModelProto of IR version 8 and opset 18; takes the graph. */
static inline bytes model_of(bytes graph)
{
	bytes model = add_int((bytes){0}, 1, 8);
	model = add_message(model, 8, add_int((bytes){0}, 2, 18));
	return add_message(model, 7, graph);
}

/* y = Add(x, w) with w as initializer (taken) and x: f32[2]. */
static inline bytes graph_with(bytes initializer)
{
	static const int64_t two[] = {2, -1};
	bytes graph = add_message((bytes){0}, 1, node_of("Add", "x w", "y"));
	graph = add_text(graph, 2, "small");
	graph = add_message(graph, 5, initializer);
	graph = add_message(graph, 11, value_info("x", 1, two));
	return add_message(graph, 12, value_info("y", 1, two));
}

#endif

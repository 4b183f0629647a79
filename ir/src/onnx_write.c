/* Graph to ONNX file. Weights are not gathered in memory: messages around them are built, and the file is written from
 * both. Raw data starts at multiples of 64 bytes in the file, so that a later mapping can use it where it lies;
 * doc_strings of blanks fill the gaps. */
#include "graph.h"

#include <halyard/ir/onnx.h>
#include <halyard/ir/pass.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IR_VERSION 8
#define GELU_OPSET 20 /* the first that has Gelu, and its IR version; all else is as in opset 18 */
#define GELU_IR_VERSION 9
#define PRODUCER "halyard"
#define ALIGN 64u
#define ALIGN_FROM_BYTES 256u /* smaller constants are not worth the blanks */
#define FILE_LIMIT_BYTES ((uint64_t)INT32_MAX) /* of protobuf itself */
#define DOMAIN_LIMIT 64u

typedef struct buffer {
	char *bytes;
	size_t length, room;
	bool failed; /* memory; nothing is written after it */
} buffer;

/* A weight that belongs at `at` of the graph's bytes. */
typedef struct gap {
	size_t at;
	const void *data;
	uint64_t length;
} gap;

typedef struct writer {
	const hy_ir_graph *graph;
	buffer body; /* the GraphProto without its weights */
	gap *gaps;
	uint32_t gap_count, gap_room;
	uint64_t gap_bytes;
	const char *domains[DOMAIN_LIMIT];
	uint32_t versions[DOMAIN_LIMIT];
	uint32_t domain_count;
	bool has_gelu;
	hy_error *error;
} writer;

/* ---- wire ---- */

static void put(buffer *out, const void *bytes, size_t length)
{
	if (out->failed || length == 0) return;
	if (out->room - out->length < length) {
		const size_t room = (out->room + length) * 2;
		char *larger = realloc(out->bytes, room);
		if (larger == NULL) {
			out->failed = true;
			return;
		}
		out->bytes = larger;
		out->room = room;
	}
	memcpy(out->bytes + out->length, bytes, length);
	out->length += length;
}

static size_t varint_length(uint64_t value)
{
	size_t length = 1;
	for (; value >= 0x80; value >>= 7)
		length++;
	return length;
}

static void put_varint(buffer *out, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		put(out, &(uint8_t){(uint8_t)(value | 0x80)}, 1);
	put(out, &(uint8_t){(uint8_t)value}, 1);
}

static void put_int(buffer *out, uint32_t field, int64_t value)
{
	put_varint(out, field << 3);
	put_varint(out, (uint64_t)value);
}

static void put_bytes(buffer *out, uint32_t field, const void *bytes, size_t length)
{
	put_varint(out, field << 3 | 2);
	put_varint(out, length);
	put(out, bytes, length);
}

static void put_text(buffer *out, uint32_t field, const char *text)
{
	put_bytes(out, field, text, strlen(text));
}

static void put_float(buffer *out, uint32_t field, float value)
{
	put_varint(out, field << 3 | 5);
	put(out, &value, sizeof(value));
}

/* Appends the message and releases it. */
static void put_message(buffer *out, uint32_t field, buffer *message)
{
	put_bytes(out, field, message->bytes, message->length);
	out->failed = out->failed || message->failed;
	free(message->bytes);
	*message = (buffer){0};
}

/* A doc_string field that takes exactly this many bytes: 0, or 2 to 66. */
static void put_blanks(buffer *out, uint32_t field, size_t length)
{
	static const char blanks[64] = "                                                                ";
	if (length > 0) put_bytes(out, field, blanks, length - 2);
}

/* ---- types and tensors ---- */

static buffer value_info(const hy_ir_value *value)
{
	const hy_ir_type *type = &value->type;
	buffer info = {0}, tensor = {0}, shape = {0}, wrapped = {0};
	put_text(&info, 1, value->name);
	if (type->dtype == HY_DTYPE_NONE && type->rank == HY_IR_RANK_UNKNOWN) return info;
	put_int(&tensor, 1, type->dtype);
	for (uint32_t i = 0; type->rank != HY_IR_RANK_UNKNOWN && i < type->rank; i++) {
		buffer dim = {0};
		if (type->dim[i] != HY_IR_DIM_UNKNOWN)
			put_int(&dim, 1, type->dim[i]);
		else if (value->dim_names[i] != NULL)
			put_text(&dim, 2, value->dim_names[i]);
		put_message(&shape, 1, &dim);
	}
	if (type->rank != HY_IR_RANK_UNKNOWN) put_message(&tensor, 2, &shape);
	put_message(&wrapped, 1, &tensor);
	put_message(&info, 2, &wrapped);
	return info;
}

static hy_status check_tensor(writer *out, const char *name, const hy_ir_type *type, const void *data)
{
	if (hy_dtype_bits(type->dtype) == 0)
		return hy_error_set(out->error, HY_UNSUPPORTED, "tensor '%.*s' of strings can't be written",
		                    HY_IR__NAME_LIMIT, name);
	if (data == NULL)
		return hy_error_set(out->error, HY_INVALID, "tensor '%.*s' has its data elsewhere", HY_IR__NAME_LIMIT,
		                    name);
	return HY_OK;
}

/* A TensorProto up to its raw_data. */
static buffer tensor_head(const char *name, const hy_ir_type *type)
{
	buffer head = {0};
	for (uint32_t i = 0; i < type->rank; i++)
		put_int(&head, 1, type->dim[i]);
	put_int(&head, 2, type->dtype);
	if (name[0] != '\0') put_text(&head, 8, name);
	return head;
}

/* How many blanks put the data at a multiple of 64 behind the start of the graph. */
static size_t blanks_before(const writer *out, size_t head_length, uint64_t length)
{
	const uint64_t start = out->body.length + out->gap_bytes;
	for (size_t blanks = 2; blanks <= 66; blanks++) {
		const uint64_t inner = head_length + blanks + 1 + varint_length(length);
		if ((start + 1 + varint_length(inner + length) + inner) % ALIGN == 0) return blanks;
	}
	return 0;
}

static hy_status put_initializer(writer *out, const hy_ir_value *value)
{
	hy_status status = check_tensor(out, value->name, &value->type, value->data);
	if (status != HY_OK) return status;
	buffer head = tensor_head(value->name, &value->type);
	const uint64_t length = value->length_bytes;
	if (length >= ALIGN_FROM_BYTES) put_blanks(&head, 12, blanks_before(out, head.length, length));
	put_varint(&head, 9 << 3 | 2);
	put_varint(&head, length);
	put_varint(&out->body, 5 << 3 | 2);
	put_varint(&out->body, head.length + length);
	put(&out->body, head.bytes, head.length);
	out->body.failed = out->body.failed || head.failed;
	free(head.bytes);
	if (!hy_ir__grow(&out->gaps, out->gap_count, &out->gap_room, sizeof(out->gaps[0])))
		return hy_ir__no_memory(out->error);
	out->gaps[out->gap_count++] = (gap){.at = out->body.length, .data = value->data, .length = length};
	out->gap_bytes += length;
	return HY_OK;
}

/* ---- nodes ---- */

static hy_status put_attr(writer *out, const hy_ir_attr *attr, buffer *node)
{
	buffer proto = {0}, tensor = {0};
	hy_status status = HY_OK;
	put_text(&proto, 1, attr->name);
	switch (attr->kind) {
	case HY_ATTR_FLOAT:
		put_float(&proto, 2, attr->f);
		break;
	case HY_ATTR_INT:
		put_int(&proto, 3, attr->i);
		break;
	case HY_ATTR_STRING:
		put_bytes(&proto, 4, attr->s, attr->count);
		break;
	case HY_ATTR_TENSOR:
		status = check_tensor(out, attr->name, &attr->tensor.type, attr->tensor.data);
		if (status != HY_OK) break;
		tensor = tensor_head("", &attr->tensor.type);
		put_bytes(&tensor, 9, attr->tensor.data, hy_ir_type_bytes(&attr->tensor.type));
		put_message(&proto, 5, &tensor);
		break;
	case HY_ATTR_FLOATS:
		for (uint32_t i = 0; i < attr->count; i++)
			put_float(&proto, 7, attr->floats[i]);
		break;
	case HY_ATTR_INTS:
		for (uint32_t i = 0; i < attr->count; i++)
			put_int(&proto, 8, attr->ints[i]);
		break;
	case HY_ATTR_STRINGS:
		for (uint32_t i = 0; i < attr->count; i++)
			put_text(&proto, 9, attr->strings[i]);
		break;
	default:
		status = hy_error_set(out->error, HY_UNSUPPORTED, "attribute '%.*s' was not read and can't be written",
		                      HY_IR__NAME_LIMIT, attr->name);
	}
	put_int(&proto, 20, attr->kind);
	put_message(node, 5, &proto);
	return status;
}

static hy_status use_domain(writer *out, const hy_ir_node *node)
{
	for (uint32_t i = 0; i < out->domain_count; i++) {
		if (strcmp(out->domains[i], node->domain) != 0) continue;
		if (out->versions[i] == node->version) return HY_OK;
		return hy_error_set(out->error, HY_INVALID,
		                    "is of version %u and others of version %u: upgrade the graph", node->version,
		                    out->versions[i]);
	}
	if (out->domain_count == DOMAIN_LIMIT)
		return hy_error_set(out->error, HY_UNSUPPORTED, "the graph has more than %u domains", DOMAIN_LIMIT);
	out->domains[out->domain_count] = node->domain;
	out->versions[out->domain_count++] = node->version;
	return HY_OK;
}

static void put_names(buffer *out, uint32_t field, const hy_ir_graph *graph, uint32_t count, const uint32_t *values)
{
	for (uint32_t i = 0; i < count; i++)
		put_text(out, field, values[i] != HY_IR_NONE ? hy_ir_graph_value(graph, values[i])->name : "");
}

static hy_status put_node(writer *out, const hy_ir_node *node)
{
	buffer proto = {0};
	hy_status status = use_domain(out, node);
	out->has_gelu = out->has_gelu || (node->op != NULL && node->op->id == HY_IR_OP_Gelu);
	put_names(&proto, 1, out->graph, node->input_count, node->inputs);
	put_names(&proto, 2, out->graph, node->output_count, node->outputs);
	if (node->name[0] != '\0') put_text(&proto, 3, node->name);
	put_text(&proto, 4, node->type);
	for (uint32_t i = 0; status == HY_OK && i < node->attr_count; i++)
		status = put_attr(out, &node->attrs[i], &proto);
	if (node->domain[0] != '\0') put_text(&proto, 7, node->domain);
	put_message(&out->body, 1, &proto);
	if (status == HY_OK) return HY_OK;
	return hy_ir__error_within(out->error, status, "node '%.*s' (%.*s)", HY_IR__NAME_LIMIT, node->name,
	                           HY_IR__NAME_LIMIT, node->type);
}

/* ---- the graph ---- */

static void put_value(writer *out, uint32_t field, uint32_t value)
{
	buffer info = value_info(hy_ir_graph_value(out->graph, value));
	put_message(&out->body, field, &info);
}

static hy_status put_graph(writer *out)
{
	const hy_ir_graph *graph = out->graph;
	hy_status status = HY_OK;
	for (uint32_t i = 0; status == HY_OK && i < hy_ir_graph_node_count(graph); i++)
		status = put_node(out, hy_ir_graph_node(graph, i));
	put_text(&out->body, 2, hy_ir_graph_name(graph));
	for (uint32_t i = 0; i < hy_ir_graph_input_count(graph); i++)
		put_value(out, 11, hy_ir_graph_inputs(graph)[i]);
	for (uint32_t i = 0; i < hy_ir_graph_output_count(graph); i++)
		put_value(out, 12, hy_ir_graph_outputs(graph)[i]);
	for (uint32_t i = 0; i < hy_ir_graph_value_count(graph); i++) {
		const hy_ir_value *value = hy_ir_graph_value(graph, i);
		if (value->producer != HY_IR_NONE && value->type.dtype != HY_DTYPE_NONE) put_value(out, 13, i);
	}
	for (uint32_t i = 0; status == HY_OK && i < hy_ir_graph_value_count(graph); i++) {
		const hy_ir_value *value = hy_ir_graph_value(graph, i);
		if (value->data != NULL || value->length_bytes > 0) status = put_initializer(out, value);
	}
	if (status == HY_OK && out->body.failed) status = hy_ir__no_memory(out->error);
	return status;
}

/* The ModelProto up to the graph's bytes, which then start at a multiple of 64. */
static buffer model_head(writer *out)
{
	const uint64_t length = out->body.length + out->gap_bytes;
	buffer head = {0};
	put_int(&head, 1, out->has_gelu ? GELU_IR_VERSION : IR_VERSION);
	put_text(&head, 2, PRODUCER);
	bool has_onnx = false;
	for (uint32_t i = 0; i < out->domain_count; i++) {
		buffer opset = {0};
		put_text(&opset, 1, out->domains[i]);
		const bool is_raised = out->has_gelu && out->domains[i][0] == '\0' && out->versions[i] == HY_IR_OPSET;
		put_int(&opset, 2, is_raised ? GELU_OPSET : out->versions[i]);
		put_message(&head, 8, &opset);
		has_onnx = has_onnx || out->domains[i][0] == '\0';
	}
	if (!has_onnx) {
		buffer opset = {0};
		put_int(&opset, 2, HY_IR_OPSET);
		put_message(&head, 8, &opset);
	}
	const size_t end = head.length + 1 + varint_length(length);
	put_blanks(&head, 6, 2 + (2 * ALIGN - 2 - end % ALIGN) % ALIGN);
	put_varint(&head, 7 << 3 | 2);
	put_varint(&head, length);
	return head;
}

/* ---- the file ---- */

static bool write_parts(const writer *out, const buffer *head, FILE *file)
{
	size_t at = 0;
	bool good = fwrite(head->bytes, 1, head->length, file) == head->length;
	for (uint32_t i = 0; good && i < out->gap_count; i++) {
		const gap *next = &out->gaps[i];
		good = fwrite(out->body.bytes + at, 1, next->at - at, file) == next->at - at &&
		       fwrite(next->data, 1, next->length, file) == next->length;
		at = next->at;
	}
	return good && fwrite(out->body.bytes + at, 1, out->body.length - at, file) == out->body.length - at;
}

static FILE *open_beside(const char *path, char *name, size_t room)
{
	for (uint32_t try = 0; try < 100; try++) {
		snprintf(name, room, "%s.%ld.%u.part", path, (long)getpid(), try);
		const int descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (descriptor < 0 && errno == EEXIST) continue;
		FILE *file = descriptor >= 0 ? fdopen(descriptor, "wb") : NULL;
		if (file == NULL && descriptor >= 0) {
			close(descriptor);
			unlink(name);
		}
		return file;
	}
	return NULL;
}

static hy_status write_file(const writer *out, const buffer *head, const char *path)
{
	const size_t room = strlen(path) + 64;
	char *name = malloc(room);
	if (name == NULL) return hy_ir__no_memory(out->error);
	hy_status status = HY_OK;
	FILE *file = open_beside(path, name, room);
	if (file == NULL) {
		status = hy_error_set(out->error, errno == ENOENT ? HY_NOT_FOUND : HY_INVALID, "%s", strerror(errno));
	} else {
		bool good = write_parts(out, head, file);
		good = fclose(file) == 0 && good;
		good = good && rename(name, path) == 0;
		if (!good) {
			status = hy_error_set(out->error, HY_INVALID, "%s", strerror(errno));
			unlink(name);
		}
	}
	free(name);
	return status;
}

static hy_status write_graph(const hy_ir_graph *graph, const char *path, hy_error *error)
{
	writer out = {.graph = graph, .error = error};
	buffer head = {0};
	hy_status status = put_graph(&out);
	if (status == HY_OK) head = model_head(&out);
	if (head.failed) status = hy_ir__no_memory(error);
	if (status == HY_OK && head.length + out.body.length + out.gap_bytes > FILE_LIMIT_BYTES)
		status = hy_error_set(error, HY_UNSUPPORTED, "the model is larger than 2 GiB, protobuf's limit");
	if (status == HY_OK) status = write_file(&out, &head, path);
	free(head.bytes);
	free(out.body.bytes);
	free(out.gaps);
	return status == HY_OK ? HY_OK : hy_ir__error_within(error, status, "%s", path);
}

static bool has_region(const hy_ir_graph *graph)
{
	for (uint32_t i = 0; i < hy_ir_graph_node_count(graph); i++)
		if (hy_ir_graph_node(graph, i)->body != NULL) return true;
	return false;
}

hy_status hy_ir_onnx_save(const hy_ir_graph *graph, const char *path, hy_error *error)
{
	if (!has_region(graph)) return write_graph(graph, path, error);
	hy_ir_graph *plain;
	bool changed;
	hy_status status = hy_ir_graph_clone(graph, &plain, error);
	if (status != HY_OK) return status;
	status = hy_ir_pass_unfuse(plain, &changed, error);
	if (status == HY_OK) status = write_graph(plain, path, error);
	hy_ir_graph_destroy(plain);
	return status;
}

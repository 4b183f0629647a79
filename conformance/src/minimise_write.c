/* A small failing case as files: an ONNX model with its data, and a C program that needs plugin.h only. */
#include "minimise.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

extern const char conform__reproducer[]; /* reproducer/reproduce.c */

void conform__minimise_tell(const recipe *self, char *text, size_t length)
{
	size_t used = (size_t)snprintf(text, length, "%s%s%s%s%s", self->anchor != NULL ? self->anchor : "",
	                               self->anchor != NULL ? " " : "", self->inputs, self->attrs[0] != '\0' ? " " : "",
	                               self->attrs);
	for (int i = 0; i < RECIPE_STEPS && self->steps[i][0] != NULL && used < length; i++)
		used += (size_t)snprintf(text + used, length - used, ", %s%s%s", self->steps[i][0],
		                         self->steps[i][1] != NULL ? " " : "",
		                         self->steps[i][1] != NULL ? self->steps[i][1] : "");
}

static FILE *open_file(const char *folder, const char *name, char *path, size_t length, hy_error *error)
{
	snprintf(path, length, "%s/%s", folder, name);
	FILE *file = fopen(path, "we");
	if (file == NULL) hy_error_set(error, HY_NOT_FOUND, "%s can't be written: %s", path, strerror(errno));
	return file;
}

static hy_status close_file(FILE *file, const char *path, hy_error *error)
{
	const bool failed = ferror(file) != 0;
	if (fclose(file) == 0 && !failed) return HY_OK;
	return hy_error_set(error, HY_NOT_FOUND, "%s can't be written: %s", path, strerror(errno));
}

/* ---- tensors of ONNX: dims 1, data_type 2, name 8, raw_data 9 (onnx.proto, TensorProto) ---- */

static void put_varint(FILE *file, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		fputc((int)(value & 0x7f) | 0x80, file);
	fputc((int)value, file);
}

static void put_bytes(FILE *file, uint32_t field, const void *bytes, uint64_t length)
{
	put_varint(file, field << 3 | 2);
	put_varint(file, length);
	fwrite(bytes, 1, length, file);
}

static hy_status write_tensor(const char *folder, const char *kind, uint32_t number, const char *name, const tensor *t,
                              hy_error *error)
{
	char path[4200], file_name[64];
	snprintf(file_name, sizeof(file_name), "test_data_set_0/%s_%u.pb", kind, number);
	FILE *file = open_file(folder, file_name, path, sizeof(path), error);
	if (file == NULL) return HY_NOT_FOUND;
	for (uint32_t i = 0; i < t->rank; i++) {
		put_varint(file, 1 << 3);
		put_varint(file, (uint64_t)t->dim[i]);
	}
	put_varint(file, 2 << 3);
	put_varint(file, t->dtype);
	put_bytes(file, 8, name, strlen(name));
	void *bytes = calloc(1, tensor_bytes(t) + 8);
	if (bytes != NULL) {
		tensor_pack(t, bytes);
		put_bytes(file, 9, bytes, tensor_bytes(t));
	}
	free(bytes);
	return close_file(file, path, error);
}

static hy_status write_model(const recipe_made *made, const char *folder, hy_error *error)
{
	char path[4200];
	const hy_ir_graph *graph = made->program.graph;
	snprintf(path, sizeof(path), "%s/model.onnx", folder);
	hy_status status = hy_ir_onnx_save(graph, path, error);
	snprintf(path, sizeof(path), "%s/test_data_set_0", folder);
	if (status == HY_OK && mkdir(path, 0777) != 0 && errno != EEXIST)
		status = hy_error_set(error, HY_NOT_FOUND, "%s can't be made: %s", path, strerror(errno));
	for (uint32_t i = 0; i < made->program.input_count && status == HY_OK; i++)
		status = write_tensor(folder, "input", i, hy_ir_graph_value(graph, hy_ir_graph_inputs(graph)[i])->name,
		                      made->program.inputs[i], error);
	for (uint32_t i = 0; i < made->output_count && status == HY_OK; i++)
		status = write_tensor(folder, "output", i,
		                      hy_ir_graph_value(graph, hy_ir_graph_outputs(graph)[i])->name, &made->outputs[i],
		                      error);
	return status;
}

/* ---- C ---- */

static void put_text(FILE *file, const char *text)
{
	fputc('"', file);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(file, "\\%c", *text);
		else if ((unsigned char)*text < ' ' || (unsigned char)*text >= 127)
			fprintf(file, "\\%03o", (unsigned)(unsigned char)*text);
		else
			fputc(*text, file);
	}
	fputc('"', file);
}

/* What stands in a comment may not end it. */
static void put_comment(FILE *file, const char *text)
{
	for (; *text != '\0'; text++)
		fputc(*text == '*' && text[1] == '/' ? '+' : (unsigned char)*text < ' ' ? ' ' : *text, file);
}

/* The shortest of two texts that gives the same number; single: in a float. */
static void put_number(FILE *file, double value, bool single)
{
	char text[40];
	snprintf(text, sizeof(text), "%.9g", value);
	const double read = strtod(text, NULL);
	if (single ? (float)read != (float)value : read != value) snprintf(text, sizeof(text), "%.17g", value);
	if (isnan(value))
		fputs("NAN", file);
	else if (isinf(value))
		fputs(value > 0 ? "INFINITY" : "-INFINITY", file);
	else
		fprintf(file, "%s%s", text, strpbrk(text, ".e") == NULL ? ".0" : "");
}

static const char *c_type(hy_dtype dtype)
{
	switch (dtype) {
	case HY_DTYPE_F32:
		return "float";
	case HY_DTYPE_F64:
		return "double";
	case HY_DTYPE_F16:
	case HY_DTYPE_BF16:
		return "uint16_t";
	case HY_DTYPE_I64:
		return "int64_t";
	case HY_DTYPE_I32:
		return "int32_t";
	case HY_DTYPE_I8:
		return "int8_t";
	default:
		return "uint8_t";
	}
}

static void put_array(FILE *file, const char *name, uint32_t number, const tensor *t)
{
	uint16_t half = 0;
	fprintf(file, "static const %s %s_%u[] = {", c_type(t->dtype), name, number);
	for (int64_t i = 0; i < t->count; i++) {
		fputs(i % 12 == 0 ? "\n\t" : " ", file);
		if (t->dtype == HY_DTYPE_F32 || t->dtype == HY_DTYPE_F64) {
			put_number(file, t->value[i], t->dtype == HY_DTYPE_F32);
		} else if (t->dtype == HY_DTYPE_F16 || t->dtype == HY_DTYPE_BF16) {
			tensor one = *t;
			one.count = 1;
			one.value = &t->value[i];
			tensor_pack(&one, &half);
			fprintf(file, "0x%04x", half);
		} else {
			fprintf(file, "%lld", (long long)t->value[i]);
		}
		fputc(',', file);
	}
	fputs(t->count == 0 ? "0};\n" : "\n};\n", file);
}

static void put_wanted(FILE *file, uint32_t number, const tensor *t, tolerance_id tolerance)
{
	fprintf(file, "static const struct want expected_%u[] = {\n", number);
	for (int64_t i = 0; i < t->count; i++) {
		double low, high;
		conform__compare_range(t, i, tolerance, &low, &high);
		fputs("\t{", file);
		put_number(file, t->value[i], false);
		fputs(", ", file);
		put_number(file, low, false);
		fputs(", ", file);
		put_number(file, high, false);
		fputs("},\n", file);
	}
	fputs(t->count == 0 ? "\t{0, 0, 0},\n};\n" : "};\n", file);
}

static void put_row(FILE *file, const char *kind, uint32_t number, const tensor *t)
{
	const bool is_input = strcmp(kind, "input") == 0;
	fprintf(file, "\t{\"%s %u\", %u, %u, {", kind, number, t->dtype, t->rank);
	for (uint32_t i = 0; i < t->rank; i++)
		fprintf(file, "%s%lld", i == 0 ? "" : ", ", (long long)t->dim[i]);
	fprintf(file, "%s}, %lld, %llu, ", t->rank == 0 ? "0" : "", (long long)t->count,
	        (unsigned long long)tensor_bytes(t));
	fprintf(file, is_input ? "input_%u, NULL},\n" : "NULL, expected_%u},\n", number);
}

static void put_raw(FILE *file, const char *declaration, const void *data, uint64_t length)
{
	const unsigned char *bytes = data;
	fprintf(file, "static _Alignas(64) const unsigned char %s[] = {", declaration);
	for (uint64_t i = 0; i < length; i++)
		fprintf(file, "%s%u,", i % 24 == 0 ? "\n\t" : " ", bytes[i]);
	fputs(length == 0 ? "0};\n" : "\n};\n", file);
}

static void put_options(FILE *file, const char *options)
{
	uint32_t count = 0;
	fputs("static const hy_option options[] = {", file);
	for (const char *part = options == NULL ? "" : options; *part != '\0';) {
		char key[256], value[256];
		const size_t length = strcspn(part, "&"), split = strcspn(part, "=");
		if (split < length) {
			snprintf(key, sizeof(key), "%.*s", (int)split, part);
			snprintf(value, sizeof(value), "%.*s", (int)(length - split - 1), part + split + 1);
			fputc('{', file);
			put_text(file, key);
			fputs(", ", file);
			put_text(file, value);
			fputs("}, ", file);
			count++;
		}
		part += length + (part[length] == '&');
	}
	fprintf(file, "{NULL, NULL}};\nenum { OPTIONS = %u };\n", count);
}

static void put_head(FILE *file, const hy_conform_options *options, const conform_case *item, const char *why)
{
	char told[1024];
	conform__minimise_tell(item->param, told, sizeof(told));
	fprintf(file, "/* Case %s of the conformance suite %s (rule %s of plugin.h), made as small as it fails:\n *   ",
	        item->info.id, HY_CONFORM_SUITE_VERSION, item->info.rule);
	put_comment(file, told);
	fputs("\n * The plugin fails it like this:\n *   ", file);
	put_comment(file, why);
	fputs("\n * model.onnx and test_data_set_0 beside this file are the same graph and numbers.\n *\n"
	      " *   cc -std=c11 -g -I HALYARD/hal/include reproduce.c -o reproduce -ldl -lpthread\n"
	      " *   ./reproduce [PLUGIN [DEVICE]]\n *\n"
	      " * Exit status: 0 it holds, 1 it fails, 2 the plugin does not load; a crash is a crash. */\n"
	      "#define _POSIX_C_SOURCE 200809L\n#include <halyard/plugin.h>\n\n#include <math.h>\n\n#define CASE ",
	      file);
	put_text(file, item->info.id);
	fputs("\n#define PLUGIN ", file);
	put_text(file, options->plugin);
	fputc('\n', file);
}

static hy_status write_program(const hy_conform_options *options, const conform_case *item, const recipe_made *made,
                               const minimise_failure *failure, const char *folder, hy_error *error)
{
	char path[4200];
	const program *p = &made->program;
	FILE *file = open_file(folder, "reproduce.c", path, sizeof(path), error);
	if (file == NULL) return HY_NOT_FOUND;
	put_head(file, options, item, failure->text);
	fprintf(file,
	        "enum { DEVICE = %u, SECONDS = %u, WATCHED = %d, SIGNS = %d, INPUTS = %u, OUTPUTS = %u, CONSTANTS = %u "
	        "};\n",
	        options->device, failure->seconds, failure->exits,
	        ((const recipe *)item->param)->tolerance == TOLERANCE_BITS, p->input_count, p->output_count,
	        p->blob.constant_count);
	put_options(file, options->device_options);
	fputs("\n/* An output holds in [low, high]. */\nstruct want {\n\tdouble expected, low, high;\n};\n\n"
	      "typedef struct tensor {\n\tconst char *name;\n\tuint32_t dtype, rank;\n\tint64_t dim[HY_MAX_RANK], "
	      "count;\n\tuint64_t bytes;\n\tconst void *data; /* of an input */\n\tconst struct want *want; /* of an "
	      "output */\n} tensor;\n\n",
	      file);
	for (uint32_t i = 0; i < p->input_count; i++)
		put_array(file, "input", i, p->inputs[i]);
	for (uint32_t i = 0; i < p->output_count; i++)
		put_wanted(file, i, &p->outputs[i], ((const recipe *)item->param)->tolerance);
	fputs("\nstatic const tensor tensors[] = {\n", file);
	for (uint32_t i = 0; i < p->input_count; i++)
		put_row(file, "input", i, p->inputs[i]);
	for (uint32_t i = 0; i < p->output_count; i++)
		put_row(file, "output", i, &p->outputs[i]);
	fputs("};\n\n/* What query() and compile() get (halyard/graph.h). */\n", file);
	put_raw(file, "graph_bytes", p->blob.graph, p->blob.graph->total_bytes);
	char name[32];
	for (uint32_t i = 0; i < p->blob.constant_count; i++) {
		snprintf(name, sizeof(name), "constant_%u", i);
		put_raw(file, name, p->blob.constants[i].data, p->blob.constants[i].length);
	}
	fputs("static const hy_constant constants[] = {", file);
	for (uint32_t i = 0; i < p->blob.constant_count; i++)
		fprintf(file, "{constant_%u, %llu}, ", i, (unsigned long long)p->blob.constants[i].length);
	fputs("{NULL, 0}};\n", file);
	fputs(conform__reproducer, file);
	return close_file(file, path, error);
}

hy_status conform__minimise_write(const hy_conform_options *options, const conform_case *item,
                                  const minimise_failure *failure, const char *folder, hy_error *error)
{
	if (mkdir(folder, 0777) != 0 && errno != EEXIST)
		return hy_error_set(error, HY_NOT_FOUND, "%s can't be made: %s", folder, strerror(errno));
	recipe_made *made = calloc(1, sizeof(*made));
	if (made == NULL) return hy_error_set(error, HY_NO_MEMORY, "host memory exhausted");
	hy_status status = conform__minimise_make(options, item, made, error);
	if (status != HY_OK) {
		free(made);
		return status;
	}
	for (uint32_t i = 0; i < made->output_count; i++)
		made->outputs[i].arithmetic = failure->arithmetic;
	status = write_model(made, folder, error);
	if (status == HY_OK) status = write_program(options, item, made, failure, folder, error);
	conform__recipe_finish(NULL, made);
	free(made);
	return status;
}

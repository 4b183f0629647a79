/* Text to graph: recursive descent, one token ahead, bounded by the text's length and a nesting of 64. Every function
 * answers whether it went well; the first failure stays in parser.status. */
#include "text.h"

#include <halyard/ir/text.h>

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_LIMIT 64u
#define ATTR_LIMIT 256u
#define LENGTH_LIMIT ((size_t)1 << 31)

typedef struct parser {
	hy_ir__lexer lexer;
	hy_ir__arena arena; /* tokens and lists, until the whole text is read */
	uint32_t depth;
	hy_status status;
} parser;

/* A node's output before its value exists. */
typedef struct made_value {
	const char *name; /* NULL: _ */
	hy_ir_type type;
} made_value;

typedef struct node_lists {
	uint32_t *inputs;
	made_value *outputs;
	hy_ir_attr *attrs;
	uint32_t input_room, output_room, attr_room;
} node_lists;

/* ---- tokens ---- */

static bool failed(parser *in, hy_status status)
{
	if (in->status == HY_OK) in->status = status;
	return false;
}

#define FAIL(in, ...) failed((in), hy_ir__lexer_fail(&(in)->lexer, __VA_ARGS__))

static bool next(parser *in)
{
	const hy_status status = hy_ir__lexer_next(&in->lexer);
	return status == HY_OK || failed(in, status);
}

static bool is_mark(const parser *in, const char *mark)
{
	return in->lexer.kind == HY_IR__TOKEN_MARK && strcmp(in->lexer.token, mark) == 0;
}

static bool is_word(const parser *in, const char *word)
{
	return in->lexer.kind == HY_IR__TOKEN_WORD && strcmp(in->lexer.token, word) == 0;
}

static bool expect_mark(parser *in, const char *mark)
{
	if (!is_mark(in, mark)) return FAIL(in, "expected '%s', found '%.40s'", mark, in->lexer.token);
	return next(in);
}

static bool take(parser *in, hy_ir__token_kind kind, const char *what, const char **out_token)
{
	if (in->lexer.kind != kind) return FAIL(in, "expected %s, found '%.40s'", what, in->lexer.token);
	*out_token = in->lexer.token;
	return next(in);
}

static bool take_word(parser *in, const char *what, const char **out_token)
{
	return take(in, in->lexer.kind == HY_IR__TOKEN_STRING ? HY_IR__TOKEN_STRING : HY_IR__TOKEN_WORD, what,
	            out_token);
}

static bool take_integer(parser *in, hy_dtype dtype, const char *what, int64_t *out_number)
{
	*out_number = 0;
	if (in->lexer.kind != HY_IR__TOKEN_NUMBER || !hy_ir__text_parse_element(dtype, in->lexer.token, out_number, 0))
		return FAIL(in, "expected %s, found '%.40s'", what, in->lexer.token);
	return next(in);
}

/* Makes room for one more item; *items moves within the arena. */
static bool grow(parser *in, void *items, uint32_t count, uint32_t *room, size_t size)
{
	if (count < *room) return true;
	void *old, *larger = hy_ir__arena_alloc(&in->arena, (*room * (size_t)2 + 8) * size);
	if (larger == NULL) return failed(in, hy_ir__no_memory(in->lexer.error));
	memcpy(&old, items, sizeof(old));
	if (count > 0) memcpy(larger, old, count * size);
	memcpy(items, &larger, sizeof(larger));
	*room = *room * 2 + 8;
	return true;
}

/* ---- types and data ---- */

static bool parse_dim(parser *in, hy_ir_type *type, const char **dim_names)
{
	if (type->rank == HY_MAX_RANK) return FAIL(in, "more than %u dimensions", HY_MAX_RANK);
	int64_t *dim = &type->dim[type->rank];
	*dim = HY_IR_DIM_UNKNOWN;
	type->rank++;
	if (is_mark(in, "?")) return next(in);
	if (in->lexer.kind == HY_IR__TOKEN_NUMBER) {
		if (in->lexer.token[0] == '-') return FAIL(in, "a dimension can't be negative");
		return take_integer(in, HY_DTYPE_I64, "a dimension", dim);
	}
	if (dim_names == NULL) return FAIL(in, "only inputs have named dimensions");
	return take_word(in, "a dimension", &dim_names[type->rank - 1]);
}

/* dim_names: HY_MAX_RANK entries, or NULL where no names may stand. */
static bool parse_type(parser *in, hy_ir_type *out_type, const char **dim_names)
{
	hy_ir_type type = {0};
	if (!is_mark(in, "?")) {
		type.dtype = in->lexer.kind == HY_IR__TOKEN_WORD ? hy_dtype_from_name(in->lexer.token) : HY_DTYPE_NONE;
		if (type.dtype == HY_DTYPE_NONE) return FAIL(in, "'%.40s' is no element type", in->lexer.token);
	}
	if (!next(in) || !expect_mark(in, "[")) return false;
	if (is_mark(in, "...")) {
		type.rank = HY_IR_RANK_UNKNOWN;
		if (!next(in)) return false;
	} else if (!is_mark(in, "]")) {
		if (!parse_dim(in, &type, dim_names)) return false;
		while (is_mark(in, ","))
			if (!next(in) || !parse_dim(in, &type, dim_names)) return false;
	}
	const char *fault = hy_ir__type_fault(&type);
	if (fault != NULL) return FAIL(in, "the type %s", fault);
	*out_type = type;
	return expect_mark(in, "]");
}

static bool parse_elements(parser *in, const hy_ir_type *type, void *block)
{
	const int64_t elements = hy_ir_type_elements(type);
	for (int64_t i = 0; i < elements; i++) {
		if (i > 0 && !expect_mark(in, ",")) return false;
		const bool is_number = in->lexer.kind == HY_IR__TOKEN_NUMBER || in->lexer.kind == HY_IR__TOKEN_WORD;
		if (!is_number || !hy_ir__text_parse_element(type->dtype, in->lexer.token, block, (uint64_t)i))
			return FAIL(in, "'%.40s' is no %s: element %lld of %lld", in->lexer.token,
			            hy_dtype_name(type->dtype), (long long)i, (long long)elements);
		if (!next(in)) return false;
	}
	return expect_mark(in, "}");
}

/* *out_block: from malloc, or NULL for data that is elsewhere. */
static bool parse_data(parser *in, const hy_ir_type *type, void **out_block)
{
	const bool opaque = is_word(in, "opaque");
	*out_block = NULL;
	if (!hy_ir_type_is_static(type) || type->dtype == HY_DTYPE_NONE) return FAIL(in, "data needs a type without ?");
	if (is_word(in, "hash"))
		return FAIL(in, "this constant was printed as a hash: print with HY_IR_TEXT_FULL to read it back");
	const uint64_t length = hy_ir_type_bytes(type);
	if (is_word(in, "elsewhere") && length > 0) return next(in);
	if ((!opaque && !is_mark(in, "{")) || opaque != (type->dtype == HY_DTYPE_STRING))
		return FAIL(in, "expected data in { }, or opaque for strings, found '%.40s'", in->lexer.token);
	if (!next(in)) return false;
	/* An element takes a character at least: a short text can't ask for much memory. */
	if (!opaque && (uint64_t)hy_ir_type_elements(type) > (uint64_t)(in->lexer.end - in->lexer.text))
		return FAIL(in, "the text is too short for %lld elements", (long long)hy_ir_type_elements(type));
	void *block = calloc(length > 0 ? length : 1, 1);
	if (block == NULL) return failed(in, hy_ir__no_memory(in->lexer.error));
	if (!opaque && !parse_elements(in, type, block)) {
		free(block);
		return false;
	}
	*out_block = block;
	return true;
}

/* ---- attributes ---- */

static bool is_integer(const char *number)
{
	return strspn(number, "-0123456789") == strlen(number);
}

/* A number, inf or nan, as the one element of an array of its kind. */
static bool parse_number(parser *in, uint32_t kind, void *array, uint32_t index)
{
	const hy_dtype dtype = kind == HY_ATTR_INTS ? HY_DTYPE_I64 : HY_DTYPE_F32;
	const bool is_int = in->lexer.kind == HY_IR__TOKEN_NUMBER && is_integer(in->lexer.token);
	if (is_int != (kind == HY_ATTR_INTS) || !hy_ir__text_parse_element(dtype, in->lexer.token, array, index))
		return FAIL(in, "'%.40s' is no %s", in->lexer.token, kind == HY_ATTR_INTS ? "integer" : "float (1.0)");
	return next(in);
}

static uint32_t list_kind(const parser *in)
{
	if (in->lexer.kind == HY_IR__TOKEN_STRING) return HY_ATTR_STRINGS;
	if (in->lexer.kind == HY_IR__TOKEN_NUMBER && is_integer(in->lexer.token)) return HY_ATTR_INTS;
	return is_mark(in, "]") ? HY_ATTR_INTS : HY_ATTR_FLOATS;
}

/* Behind the [ of a list whose kind is that of its first element. */
static bool parse_list(parser *in, hy_ir_attr *attr)
{
	void *items = NULL;
	uint32_t room = 0;
	attr->kind = list_kind(in);
	const bool is_text = attr->kind == HY_ATTR_STRINGS;
	const size_t size = is_text ? sizeof(char *) : attr->kind == HY_ATTR_INTS ? sizeof(int64_t) : sizeof(float);
	while (!is_mark(in, "]")) {
		if (attr->count > 0 && !expect_mark(in, ",")) return false;
		if (!grow(in, &items, attr->count, &room, size)) return false;
		if (is_text && !take(in, HY_IR__TOKEN_STRING, "a string", (const char **)items + attr->count))
			return false;
		if (!is_text && !parse_number(in, attr->kind, items, attr->count)) return false;
		attr->count++;
	}
	if (is_text) attr->strings = items;
	if (attr->kind == HY_ATTR_INTS) attr->ints = items;
	if (attr->kind == HY_ATTR_FLOATS) attr->floats = items;
	return next(in);
}

static bool parse_tensor(parser *in, hy_ir_attr *attr)
{
	void *block;
	attr->kind = HY_ATTR_TENSOR;
	attr->count = 1;
	if (!parse_type(in, &attr->tensor.type, NULL) || !parse_data(in, &attr->tensor.type, &block)) return false;
	if (block == NULL) return true; /* elsewhere */
	const uint64_t length = hy_ir_type_bytes(&attr->tensor.type);
	attr->tensor.data = hy_ir__arena_copy(&in->arena, block, length);
	free(block);
	return attr->tensor.data != NULL || failed(in, hy_ir__no_memory(in->lexer.error));
}

static bool parse_worded(parser *in, hy_ir_attr *attr)
{
	if (is_word(in, "floats") || is_word(in, "strings")) {
		attr->kind = is_word(in, "floats") ? HY_ATTR_FLOATS : HY_ATTR_STRINGS;
		return next(in) && expect_mark(in, "[") && expect_mark(in, "]");
	}
	if (is_word(in, "opaque")) {
		int64_t kind;
		if (!next(in) || !take_integer(in, HY_DTYPE_U32, "ONNX's number of the kind", &kind)) return false;
		attr->kind = (uint32_t)kind;
		return hy_ir__attr_is_opaque(attr) || FAIL(in, "kind %u is not opaque", attr->kind);
	}
	return parse_tensor(in, attr);
}

static bool parse_attr(parser *in, hy_ir_attr *attr)
{
	*attr = (hy_ir_attr){.s = ""};
	if (!take_word(in, "an attribute", &attr->name) || !expect_mark(in, "=")) return false;
	if (attr->name[0] == '\0') return FAIL(in, "an attribute has no name");
	if (is_mark(in, "[")) return next(in) && parse_list(in, attr);
	const bool is_float = is_word(in, "inf") || is_word(in, "nan");
	if ((in->lexer.kind == HY_IR__TOKEN_WORD && !is_float) || is_mark(in, "?")) return parse_worded(in, attr);
	attr->count = 1;
	if (in->lexer.kind == HY_IR__TOKEN_STRING) {
		attr->kind = HY_ATTR_STRING;
		attr->count = in->lexer.token_length;
		return take(in, HY_IR__TOKEN_STRING, "a string", &attr->s);
	}
	attr->kind = is_integer(in->lexer.token) ? HY_ATTR_INT : HY_ATTR_FLOAT;
	return attr->kind == HY_ATTR_INT ? parse_number(in, HY_ATTR_INTS, &attr->i, 0)
	                                 : parse_number(in, HY_ATTR_FLOATS, &attr->f, 0);
}

/* A quoted word, or one with = behind it: else the word begins the next statement. */
static bool is_attr(const parser *in)
{
	if (in->lexer.kind == HY_IR__TOKEN_STRING) return true;
	if (in->lexer.kind != HY_IR__TOKEN_WORD || is_word(in, "_")) return false;
	const char *at = in->lexer.at;
	while (at < in->lexer.end && (*at == ' ' || *at == '\t'))
		at++;
	return at < in->lexer.end && *at == '=';
}

static bool parse_attrs(parser *in, node_lists *lists, uint32_t *out_count)
{
	uint32_t count = 0;
	if (is_attr(in)) {
		do {
			if (count > 0 && !next(in)) return false;
			if (count == ATTR_LIMIT) return FAIL(in, "more than %u attributes", ATTR_LIMIT);
			if (!grow(in, &lists->attrs, count, &lists->attr_room, sizeof(lists->attrs[0]))) return false;
			if (!parse_attr(in, &lists->attrs[count])) return false;
			for (uint32_t i = 0; i < count; i++)
				if (strcmp(lists->attrs[i].name, lists->attrs[count].name) == 0)
					return FAIL(in, "attribute '%.40s' is given twice", lists->attrs[i].name);
			count++;
		} while (is_mark(in, ","));
	}
	*out_count = count;
	return true;
}

/* ---- nodes ---- */

static bool parse_outputs(parser *in, node_lists *lists, uint32_t *out_count)
{
	uint32_t count = 0;
	while (!is_mark(in, "=")) {
		if (count > 0 && !expect_mark(in, ",")) return false;
		if (!grow(in, &lists->outputs, count, &lists->output_room, sizeof(lists->outputs[0]))) return false;
		made_value *made = &lists->outputs[count++];
		*made = (made_value){.type = {.rank = HY_IR_RANK_UNKNOWN}};
		const bool absent = is_word(in, "_");
		if (!absent && !take(in, HY_IR__TOKEN_NAME, "input, const, output, a node or }", &made->name))
			return false;
		if (absent && !next(in)) return false;
		if (!absent && is_mark(in, ":") && (!next(in) || !parse_type(in, &made->type, NULL))) return false;
	}
	*out_count = count;
	return next(in);
}

static bool parse_inputs(parser *in, const hy_ir_graph *graph, node_lists *lists, uint32_t *out_count)
{
	uint32_t count = 0;
	if (!expect_mark(in, "(")) return false;
	while (!is_mark(in, ")")) {
		if (count > 0 && !expect_mark(in, ",")) return false;
		if (!grow(in, &lists->inputs, count, &lists->input_room, sizeof(lists->inputs[0]))) return false;
		uint32_t *input = &lists->inputs[count++];
		*input = HY_IR_NONE;
		if (in->lexer.kind == HY_IR__TOKEN_NAME) *input = hy_ir_graph_find(graph, in->lexer.token);
		if (in->lexer.kind == HY_IR__TOKEN_NAME && *input == HY_IR_NONE)
			return FAIL(in, "'%%%.40s' is made by nothing before it", in->lexer.token);
		const char *unused;
		if (is_word(in, "_") ? !next(in) : !take(in, HY_IR__TOKEN_NAME, "a value or )", &unused)) return false;
	}
	*out_count = count;
	return next(in);
}

static bool parse_operator(parser *in, hy_ir_node_options *options)
{
	options->domain = "";
	options->version = HY_IR_OPSET;
	if (!take_word(in, "an operator", &options->type)) return false;
	if (is_mark(in, "::")) {
		options->domain = options->type;
		if (!next(in) || !take_word(in, "an operator", &options->type)) return false;
	}
	if (is_mark(in, "@")) {
		int64_t version;
		if (!next(in) || !take_integer(in, HY_DTYPE_U32, "a version", &version)) return false;
		if (version == 0) return FAIL(in, "there is no version 0");
		options->version = (uint32_t)version;
	}
	if (in->lexer.kind == HY_IR__TOKEN_STRING) return take(in, HY_IR__TOKEN_STRING, "a name", &options->name);
	return true;
}

static bool parse_graph(parser *in, hy_ir_graph **out_graph);

/* Failures of the builder get the place of the statement. */
static bool placed(parser *in, hy_status status, uint32_t line, uint32_t column)
{
	if (status == HY_OK) return true;
	return failed(in, hy_ir__error_within(in->lexer.error, status, "%s:%u:%u", in->lexer.name, line, column));
}

static bool parse_node(parser *in, hy_ir_graph *graph)
{
	const uint32_t line = in->lexer.line, column = in->lexer.column;
	node_lists lists = {0};
	hy_ir_node_options options = {0};
	if (!parse_outputs(in, &lists, &options.output_count) || !parse_operator(in, &options) ||
	    !parse_inputs(in, graph, &lists, &options.input_count) || !parse_attrs(in, &lists, &options.attr_count))
		return false;
	uint32_t *outputs = hy_ir__arena_alloc(&in->arena, options.output_count * sizeof(outputs[0]));
	if (outputs == NULL) return failed(in, hy_ir__no_memory(in->lexer.error));
	hy_status status = HY_OK;
	for (uint32_t i = 0; status == HY_OK && i < options.output_count; i++) {
		outputs[i] = HY_IR_NONE;
		if (lists.outputs[i].name != NULL)
			status = hy_ir__graph_add_value(graph, lists.outputs[i].name, &lists.outputs[i].type,
			                                &outputs[i], in->lexer.error);
	}
	if (!placed(in, status, line, column)) return false;
	if (is_word(in, "graph") && !parse_graph(in, &options.take_body)) return false;
	options.inputs = lists.inputs;
	options.outputs = outputs;
	options.attrs = lists.attrs;
	status = hy_ir_build_node(graph, &options, NULL, in->lexer.error);
	if (status != HY_OK) hy_ir_graph_destroy(options.take_body);
	return placed(in, status, line, column);
}

/* ---- graphs ---- */

static bool parse_input(parser *in, hy_ir_graph *graph)
{
	const uint32_t line = in->lexer.line, column = in->lexer.column;
	const char *name, *dim_names[HY_MAX_RANK] = {NULL};
	hy_ir_type type = {.rank = HY_IR_RANK_UNKNOWN};
	uint32_t value;
	if (!next(in) || !take(in, HY_IR__TOKEN_NAME, "a value", &name)) return false;
	if (is_mark(in, ":") && (!next(in) || !parse_type(in, &type, dim_names))) return false;
	hy_status status = hy_ir__graph_add_value(graph, name, &type, &value, in->lexer.error);
	if (status == HY_OK) status = hy_ir__graph_add_input(graph, value, dim_names, in->lexer.error);
	return placed(in, status, line, column);
}

static bool parse_constant(parser *in, hy_ir_graph *graph)
{
	const uint32_t line = in->lexer.line, column = in->lexer.column;
	const char *name;
	hy_ir_type type;
	void *block;
	uint32_t value;
	if (!next(in) || !take(in, HY_IR__TOKEN_NAME, "a value", &name) || !expect_mark(in, ":") ||
	    !parse_type(in, &type, NULL) || !expect_mark(in, "=") || !parse_data(in, &type, &block))
		return false;
	hy_status status = hy_ir__graph_add_value(graph, name, &type, &value, in->lexer.error);
	if (status == HY_OK && block == NULL) graph->values[value].value.length_bytes = hy_ir_type_bytes(&type);
	if (status == HY_OK && block != NULL)
		status = hy_ir__graph_set_constant(graph, value, &type, block, in->lexer.error);
	if (status != HY_OK) free(block);
	return placed(in, status, line, column);
}

static bool parse_output(parser *in, hy_ir_graph *graph)
{
	if (!next(in)) return false;
	if (in->lexer.kind != HY_IR__TOKEN_NAME) return FAIL(in, "expected a value, found '%.40s'", in->lexer.token);
	const uint32_t value = hy_ir_graph_find(graph, in->lexer.token);
	if (value == HY_IR_NONE) return FAIL(in, "'%%%.40s' is made by nothing before it", in->lexer.token);
	const hy_status status = hy_ir_build_output(graph, value, in->lexer.error);
	return status == HY_OK ? next(in) : failed(in, status);
}

static bool parse_statements(parser *in, hy_ir_graph *graph)
{
	while (!is_mark(in, "}")) {
		const bool good = is_word(in, "input")    ? parse_input(in, graph)
		                  : is_word(in, "const")  ? parse_constant(in, graph)
		                  : is_word(in, "output") ? parse_output(in, graph)
		                                          : parse_node(in, graph);
		if (!good) return false;
	}
	return next(in);
}

static bool parse_graph(parser *in, hy_ir_graph **out_graph)
{
	const char *name;
	if (!is_word(in, "graph")) return FAIL(in, "expected 'graph', found '%.40s'", in->lexer.token);
	if (++in->depth > DEPTH_LIMIT) return FAIL(in, "graphs nest more than %u deep", DEPTH_LIMIT);
	if (!next(in) || !take(in, HY_IR__TOKEN_STRING, "the graph's name", &name) || !expect_mark(in, "{"))
		return false;
	hy_ir_graph *graph;
	const hy_status status = hy_ir_graph_create(name, &graph, in->lexer.error);
	if (status != HY_OK) return failed(in, status);
	if (!parse_statements(in, graph)) {
		hy_ir_graph_destroy(graph);
		return false;
	}
	in->depth--;
	*out_graph = graph;
	return true;
}

hy_status hy_ir_text_parse(const char *name, const char *text, size_t length, hy_ir_graph **out_graph, hy_error *error)
{
	if (length > LENGTH_LIMIT) return hy_error_set(error, HY_UNSUPPORTED, "%s: text of more than 2 GiB", name);
	const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (plain == (locale_t)0) return hy_ir__no_memory(error);
	const locale_t old = uselocale(plain);
	parser in = {.lexer = {.name = name,
	                       .text = text,
	                       .at = text,
	                       .end = text + length,
	                       .line = 1,
	                       .line_start = text,
	                       .error = error}};
	in.lexer.arena = &in.arena;
	hy_ir_graph *graph = NULL;
	if (next(&in) && parse_graph(&in, &graph) && in.lexer.kind != HY_IR__TOKEN_END)
		(void)FAIL(&in, "expected the end, found '%.40s'", in.lexer.token);
	uselocale(old);
	freelocale(plain);
	hy_ir__arena_finish(&in.arena);
	if (in.status != HY_OK) {
		hy_ir_graph_destroy(graph);
		return in.status;
	}
	*out_graph = graph;
	return HY_OK;
}

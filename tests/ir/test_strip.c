/* Strips against the whole: the evaluator runs both, and every row must be the same to the bit. */
#include "test.h"

#include <halyard/ir.h>

#include <stdlib.h>
#include <string.h>

static hy_error error;
static uint32_t seed;

static int64_t below(int64_t limit)
{
	seed = seed * 1664525u + 1013904223u;
	return (int64_t)((seed >> 8) % (uint64_t)limit);
}

/* ---- random networks: rows along axis 2 of rank 3, 4 or 5 ---- */

typedef struct net {
	hy_ir_graph *graph;
	uint32_t rank;
	int64_t channels;
} net;

static uint32_t weights(net *n, uint32_t rank, const int64_t *dims)
{
	hy_ir_type type = {.dtype = HY_DTYPE_F32, .rank = rank};
	memcpy(type.dim, dims, rank * sizeof(dims[0]));
	float data[2048];
	assert_true(hy_ir_type_elements(&type) <= 2048);
	for (int64_t i = 0; i < hy_ir_type_elements(&type); i++)
		data[i] = (float)(below(5) - 2);
	uint32_t value;
	EXPECT_OK(hy_ir_build_constant(n->graph, "w", &type, data, &value, &error));
	return value;
}

/* keep: as many rows as before. */
static uint32_t window(net *n, uint32_t x, const char *type, bool keep)
{
	int64_t kernel[3], pads[6], strides[3], dilations[3], dims[5] = {n->channels, n->channels};
	const bool is_conv = strcmp(type, "Conv") == 0;
	const uint32_t spatial = n->rank - 2;
	for (uint32_t i = 0; i < spatial; i++) {
		kernel[i] = dims[2 + i] = keep ? 2 * below(2) + 1 : 1 + below(4);
		dilations[i] = is_conv && kernel[i] > 1 ? 1 + below(2) : 1;
		strides[i] = keep ? 1 : 1 + below(3);
		const int64_t span = (kernel[i] - 1) * dilations[i] + 1;
		pads[i] = keep ? span / 2 : below(kernel[i]);
		pads[spatial + i] = keep ? span / 2 : below(kernel[i]);
	}
	const hy_ir_attr attrs[] = {hy_ir_attr_ints("kernel_shape", spatial, kernel),
	                            hy_ir_attr_ints("strides", spatial, strides),
	                            hy_ir_attr_ints("pads", 2 * spatial, pads),
	                            is_conv ? hy_ir_attr_ints("dilations", spatial, dilations)
	                                    : hy_ir_attr_int("ceil_mode", keep ? 0 : below(2))};
	const uint32_t inputs[] = {x, is_conv ? weights(n, n->rank, dims) : HY_IR_NONE};
	uint32_t value;
	EXPECT_OK(hy_ir_build_op(n->graph, type, type, is_conv ? 2 : 1, inputs, 4, attrs, &value, &error));
	return value;
}

static uint32_t same_conv(net *n, uint32_t x, const char *automatic)
{
	int64_t dims[5] = {n->channels, n->channels, 3, 3, 3}, strides[3] = {2, 1, 2};
	const hy_ir_attr attrs[] = {hy_ir_attr_string("auto_pad", automatic),
	                            hy_ir_attr_ints("strides", n->rank - 2, strides)};
	uint32_t value;
	EXPECT_OK(hy_ir_build_op(n->graph, "Conv", "same", 2, (uint32_t[]){x, weights(n, n->rank, dims)}, 2, attrs,
	                         &value, &error));
	return value;
}

static uint32_t op(net *n, const char *type, uint32_t count, const uint32_t *inputs)
{
	uint32_t value;
	EXPECT_OK(hy_ir_build_op(n->graph, type, type, count, inputs, 0, NULL, &value, &error));
	return value;
}

static uint32_t pad(net *n, uint32_t x)
{
	int64_t pads[10] = {0};
	for (uint32_t i = 2; i < n->rank; i++) {
		pads[i] = below(2);
		pads[n->rank + i] = below(2);
	}
	const hy_ir_type type = {.dtype = HY_DTYPE_I64, .rank = 1, .dim = {2 * n->rank}};
	uint32_t list;
	EXPECT_OK(hy_ir_build_constant(n->graph, "pads", &type, pads, &list, &error));
	return op(n, "Pad", 2, (uint32_t[]){x, list});
}

static uint32_t join(net *n, uint32_t a, uint32_t b)
{
	const hy_ir_attr axis = hy_ir_attr_int("axis", 1);
	uint32_t value;
	EXPECT_OK(hy_ir_build_op(n->graph, "Concat", "join", 2, (uint32_t[]){a, b}, 1, &axis, &value, &error));
	n->channels *= 2;
	return value;
}

static uint32_t layer(net *n, uint32_t x)
{
	const int64_t per_channel[] = {1, n->channels, 1, 1, 1};
	switch (below(9)) {
	case 0:
		return op(n, "Relu", 1, &x);
	case 1:
		return window(n, x, "MaxPool", false);
	case 2:
		return window(n, x, "AveragePool", false);
	case 3:
		return op(n, "Add", 2, (uint32_t[]){x, weights(n, n->rank, per_channel)});
	case 4: /* a residual block, whose input is needed with two ranges of rows */
		return op(n, "Relu", 1, (uint32_t[]){op(n, "Add", 2, (uint32_t[]){window(n, x, "Conv", true), x})});
	case 5:
		if (n->channels > 2) return pad(n, x);
		return join(n, window(n, x, "Conv", true), window(n, x, "MaxPool", true));
	case 6:
		return same_conv(n, x, below(2) == 0 ? "SAME_UPPER" : "SAME_LOWER");
	default:
		return op(n, "Relu", 1, (uint32_t[]){window(n, x, "Conv", false)});
	}
}

/* Prepared; NULL when a window grew longer than what was left. */
static hy_ir_graph *random_net(void)
{
	net n = {.rank = 3 + (uint32_t)below(3), .channels = 2};
	hy_ir_type type = {.dtype = HY_DTYPE_F32, .rank = n.rank, .dim = {1 + below(2), n.channels, 13 + below(30)}};
	for (uint32_t i = 3; i < n.rank; i++)
		type.dim[i] = 7 + below(4);
	uint32_t x;
	EXPECT_OK(hy_ir_graph_create("random", &n.graph, &error));
	EXPECT_OK(hy_ir_build_input(n.graph, "x", &type, NULL, &x, &error));
	for (int64_t left = 2 + below(4); left > 0; left--)
		x = layer(&n, x);
	EXPECT_OK(hy_ir_build_output(n.graph, x, &error));
	const uint32_t flags = below(3) == 0 ? HY_IR_PREPARE_NO_FUSE : 0;
	if (hy_ir_prepare(n.graph, flags, &error) == HY_OK && hy_ir_graph_node_count(n.graph) > 0) return n.graph;
	hy_ir_graph_destroy(n.graph);
	return NULL;
}

/* ---- running a strip ---- */

static hy_ir_tensor rows_of(const hy_ir_tensor *whole, hy_ir_rows rows)
{
	hy_ir_tensor part = {.type = whole->type};
	part.type.dim[2] = rows.end - rows.first;
	size_t outer = (size_t)(whole->type.dim[0] * whole->type.dim[1]), inner = 4;
	for (uint32_t i = 3; i < whole->type.rank; i++)
		inner *= (size_t)whole->type.dim[i];
	const size_t length = inner * (size_t)part.type.dim[2], step = inner * (size_t)whole->type.dim[2];
	char *data = part.data = malloc(outer * length + 1);
	for (size_t o = 0; o < outer; o++)
		memcpy(data + o * length, (char *)whole->data + o * step + (size_t)rows.first * inner, length);
	return part;
}

/* The pieces that a strip reads, one or two per value. */
static uint32_t pieces_of(const hy_ir_graph *graph, uint32_t first, const hy_ir_rows *rows, hy_ir_piece *pieces)
{
	uint32_t count = 0;
	for (uint32_t v = 0; v < hy_ir_graph_value_count(graph); v++) {
		const hy_ir_value *value = hy_ir_graph_value(graph, v);
		const bool outside = value->producer == HY_IR_NONE || value->producer < first;
		if (!outside || value->data != NULL || rows[v].end <= rows[v].first) continue;
		const int64_t middle = rows[v].first + below(rows[v].end - rows[v].first);
		hy_ir_rows rest = rows[v];
		if (middle > rows[v].first) {
			rest.first = middle;
			pieces[count++] = (hy_ir_piece){v, {rows[v].first, middle}};
		}
		pieces[count++] = (hy_ir_piece){v, rest};
	}
	return count;
}

/* Nodes first..end-1 for some rows of the last one's output; all: every value of the graph. */
static void expect_strip_is_whole(const hy_ir_graph *graph, const hy_ir_tensor *all, uint32_t first, uint32_t end,
                                  hy_ir_rows wanted)
{
	const uint32_t values = hy_ir_graph_value_count(graph), last = hy_ir_graph_node(graph, end - 1)->outputs[0];
	hy_ir_rows *rows = calloc(values, sizeof(*rows));
	hy_ir_piece pieces[16], output = {last, wanted};
	hy_ir_tensor inputs[16], result;
	hy_ir_graph *strip;
	rows[last] = wanted;
	const hy_status status = hy_ir_strip_need(graph, first, end - first, 2, rows, &error);
	if (status == HY_UNSUPPORTED) { /* rows of a Pad alone */
		free(rows);
		return;
	}
	EXPECT_OK(status);
	const uint32_t count = pieces_of(graph, first, rows, pieces);
	EXPECT_OK(hy_ir_strip_create(graph, first, end - first, 2, count, pieces, 1, &output, &strip, &error));
	EXPECT_OK(hy_ir_verify(strip, &error));
	for (uint32_t i = 0; i < count; i++)
		inputs[i] = rows_of(&all[pieces[i].value], pieces[i].rows);
	EXPECT_OK(hy_ir_eval_graph(strip, inputs, &result, &error));
	hy_ir_tensor expected = rows_of(&all[last], wanted);
	assert_true(hy_ir_type_equal(&result.type, &expected.type));
	assert_memory_equal(result.data, expected.data, hy_ir_type_bytes(&expected.type));
	hy_ir_eval_release(1, &result);
	free(expected.data);
	for (uint32_t i = 0; i < count; i++)
		free(inputs[i].data);
	hy_ir_graph_destroy(strip);
	free(rows);
}

/* Every value of a graph with one input. */
static hy_ir_tensor *eval_all(const hy_ir_graph *graph)
{
	hy_ir_graph *open;
	EXPECT_OK(hy_ir_graph_clone(graph, &open, &error));
	const uint32_t values = hy_ir_graph_value_count(graph), before = hy_ir_graph_output_count(graph);
	hy_ir_tensor *all = calloc(values, sizeof(*all)), *outputs = calloc(values + before, sizeof(*outputs));
	for (uint32_t v = 0; v < values; v++)
		EXPECT_OK(hy_ir_build_output(open, v, &error));
	hy_ir_tensor x = {.type = hy_ir_graph_value(graph, hy_ir_graph_inputs(graph)[0])->type};
	float *data = x.data = malloc(hy_ir_type_bytes(&x.type));
	for (int64_t i = 0; i < hy_ir_type_elements(&x.type); i++)
		data[i] = (float)(below(7) - 3);
	EXPECT_OK(hy_ir_eval_graph(open, &x, outputs, &error));
	memcpy(all, outputs + before, values * sizeof(*all));
	hy_ir_eval_release(before, outputs);
	free(outputs);
	free(data);
	hy_ir_graph_destroy(open);
	return all;
}

static void rows_of_a_strip_are_rows_of_the_whole(void **state)
{
	(void)state;
	uint32_t good = 0;
	for (uint32_t run = 0; run < 300; run++) {
		seed = run * 7919u + 1;
		hy_ir_graph *graph = random_net();
		if (graph == NULL) continue;
		hy_ir_tensor *all = eval_all(graph);
		const uint32_t nodes = hy_ir_graph_node_count(graph);
		const uint32_t first = (uint32_t)below(nodes), end = first + 1 + (uint32_t)below(nodes - first);
		const uint32_t last = hy_ir_graph_node(graph, end - 1)->outputs[0];
		const int64_t height = hy_ir_strip_height(graph, last, 2);
		for (int64_t from = 0, to; from < height; from = to) {
			to = from + 1 + below(height - from);
			expect_strip_is_whole(graph, all, first, end, (hy_ir_rows){from, to});
			good++;
		}
		hy_ir_eval_release(hy_ir_graph_value_count(graph), all);
		free(all);
		hy_ir_graph_destroy(graph);
	}
	assert_true(good > 500);
}

/* ---- single facts ---- */

static hy_ir_graph *parsed(const char *text)
{
	hy_ir_graph *graph;
	EXPECT_OK(hy_ir_text_parse("case", text, strlen(text), &graph, &error));
	EXPECT_OK(hy_ir_infer_graph(graph, &error));
	return graph;
}

static void a_strided_window_reaches_back_by_its_padding(void **state)
{
	(void)state;
	net n = {.rank = 4, .channels = 1};
	const hy_ir_type type = {.dtype = HY_DTYPE_F32, .rank = 4, .dim = {1, 1, 224, 8}};
	const int64_t dims[] = {1, 1, 7, 7}, pads[] = {3, 3, 3, 3}, strides[] = {2, 2};
	const hy_ir_attr attrs[] = {hy_ir_attr_ints("pads", 4, pads), hy_ir_attr_ints("strides", 2, strides)};
	uint32_t x, y;
	EXPECT_OK(hy_ir_graph_create("stem", &n.graph, &error));
	EXPECT_OK(hy_ir_build_input(n.graph, "x", &type, NULL, &x, &error));
	const uint32_t inputs[] = {x, weights(&n, 4, dims)};
	EXPECT_OK(hy_ir_build_op(n.graph, "Conv", "y", 2, inputs, 2, attrs, &y, &error));
	EXPECT_OK(hy_ir_infer_graph(n.graph, &error));
	hy_ir_reach reaches[2];
	EXPECT_OK(hy_ir_strip_reach(n.graph, 0, 2, reaches, &error));
	assert_int_equal(reaches[0].stride, 2);
	assert_int_equal(reaches[0].before, 3);
	assert_int_equal(reaches[0].after, 4);
	assert_true(reaches[1].whole);
	hy_ir_rows rows[4] = {{0}};
	rows[y] = (hy_ir_rows){56, 112};
	EXPECT_OK(hy_ir_strip_need(n.graph, 0, 1, 2, rows, &error));
	assert_int_equal(rows[x].first, 109);
	assert_int_equal(rows[x].end, 224);
	hy_ir_graph_destroy(n.graph);
}

static void expect_not_local(const char *text, const char *why)
{
	hy_ir_graph *graph = parsed(text);
	hy_ir_reach reaches[4];
	EXPECT_STATUS(HY_UNSUPPORTED, hy_ir_strip_reach(graph, 0, 2, reaches, &error));
	assert_non_null(strstr(error.text, why));
	hy_ir_graph_destroy(graph);
}

static void what_mixes_rows_is_not_local_and_says_why(void **state)
{
	(void)state;
	expect_not_local("graph \"g\" {\n input %x: f32[1,2,8,8]\n %y = GlobalAveragePool (%x)\n output %y\n}\n",
	                 "its rows are not apart");
	expect_not_local("graph \"g\" {\n input %x: f32[1,2,8,8]\n %y = Concat (%x, %x) axis=2\n output %y\n}\n",
	                 "it works along that axis");
	expect_not_local("graph \"g\" {\n input %x: f32[1,2,8,8]\n %y = Softmax (%x) axis=2\n output %y\n}\n",
	                 "it works along that axis");
}

static void missing_rows_are_refused_with_their_numbers(void **state)
{
	(void)state;
	hy_ir_graph *graph = parsed("graph \"g\" {\n input %x: f32[1,2,8,8]\n %y = Relu (%x)\n output %y\n}\n"), *strip;
	const hy_ir_piece short_piece = {hy_ir_graph_find(graph, "x"), {2, 4}},
			  gap[] = {{short_piece.value, {0, 2}}, {short_piece.value, {3, 8}}},
			  wanted = {hy_ir_graph_find(graph, "y"), {2, 5}};
	EXPECT_STATUS(HY_INVALID, hy_ir_strip_create(graph, 0, 1, 2, 1, &short_piece, 1, &wanted, &strip, &error));
	assert_string_equal(error.text, "strip: rows 2 to 4 of 'x' are needed, 2 to 3 are given");
	EXPECT_STATUS(HY_INVALID, hy_ir_strip_create(graph, 0, 1, 2, 2, gap, 1, &wanted, &strip, &error));
	assert_string_equal(error.text, "strip: the pieces of 'x' leave a gap");
	EXPECT_STATUS(HY_INVALID, hy_ir_strip_create(graph, 0, 1, 2, 0, NULL, 1, &wanted, &strip, &error));
	assert_string_equal(error.text, "strip: 'x' is needed and not given");
	const hy_ir_piece outside = {wanted.value, {6, 9}};
	EXPECT_STATUS(HY_INVALID, hy_ir_strip_create(graph, 0, 1, 2, 1, &short_piece, 1, &outside, &strip, &error));
	hy_ir_graph_destroy(graph);
}

static void a_global_pool_works_along_the_rows_last(void **state)
{
	(void)state;
	hy_ir_graph *graph = parsed("graph \"g\" {\n input %x: f32[1,1,2,3]\n %a = Relu (%x)\n"
	                            " %y = GlobalAveragePool (%a)\n output %y\n}\n");
	uint32_t origins[4];
	bool changed;
	EXPECT_OK(hy_ir_strip_loosen(graph, 2, origins, &changed, &error));
	assert_true(changed);
	assert_int_equal(hy_ir_graph_node_count(graph), 3);
	assert_memory_equal(origins, ((uint32_t[]){0, 1, 1}), 3 * sizeof(origins[0]));
	hy_ir_reach reaches[2];
	EXPECT_OK(hy_ir_strip_reach(graph, 1, 2, reaches, &error));
	assert_int_equal(hy_ir_strip_height(graph, hy_ir_graph_node(graph, 1)->outputs[0], 2), 2);
	hy_ir_tensor y, x = {hy_ir_graph_value(graph, hy_ir_graph_inputs(graph)[0])->type, (float[]){1, 2, 3, 4, 5, 9}};
	EXPECT_OK(hy_ir_eval_graph(graph, &x, &y, &error));
	assert_true(((float *)y.data)[0] == 4);
	hy_ir_eval_release(1, &y);
	hy_ir_graph_destroy(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(rows_of_a_strip_are_rows_of_the_whole),       CASE(a_strided_window_reaches_back_by_its_padding),
		CASE(what_mixes_rows_is_not_local_and_says_why),   CASE(a_global_pool_works_along_the_rows_last),
		CASE(missing_rows_are_refused_with_their_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The table of operators, what they read from a node, and those that compute element by element or row by row. */
#include "abacus.h"

#include <math.h>

/* ---- attributes ---- */

static const hy_graph_attr *attr_of(const call *c, const char *name)
{
	for (uint32_t i = 0; i < c->node->attr_count; i++) {
		const hy_graph_attr *attr = hy_graph_attr_at(c->graph, c->node->attrs + i);
		if (strcmp(hy_graph_string(c->graph, attr->name), name) == 0) return attr;
	}
	return NULL;
}

const int64_t *abacus_ints(const call *c, const char *name)
{
	const hy_graph_attr *attr = attr_of(c, name);
	return attr == NULL ? NULL : hy_graph_data(c->graph, attr->value);
}

int64_t abacus_int(const call *c, const char *name, int64_t fallback)
{
	const int64_t *value = abacus_ints(c, name);
	return value == NULL ? fallback : *value;
}

float abacus_float(const call *c, const char *name, float fallback)
{
	const hy_graph_attr *attr = attr_of(c, name);
	return attr == NULL ? fallback : *(const float *)hy_graph_data(c->graph, attr->value);
}

const char *abacus_text(const call *c, const char *name, const char *fallback)
{
	const hy_graph_attr *attr = attr_of(c, name);
	return attr == NULL ? fallback
	                    : hy_graph_string(c->graph, *(const uint32_t *)hy_graph_data(c->graph, attr->value));
}

/* ---- element by element ---- */

static void each(const call *c, double (*f)(double x, const call *c))
{
	const float *in = c->in[0].data;
	float *out = c->out[0].data;
	for (int64_t i = 0; i < abacus_count(c->out[0].type); i++)
		out[i] = (float)f(in[i], c);
}

static double relu(double x, const call *c)
{
	(void)c;
	return x < 0 ? 0 : x;
}

static double leaky(double x, const call *c)
{
	return x < 0 ? x * abacus_float(c, "alpha", 0.01f) : x;
}

static double sigmoid(double x, const call *c)
{
	(void)c;
	return 1 / (1 + exp(-x));
}

static double hyperbolic(double x, const call *c)
{
	(void)c;
	return tanh(x);
}

static double power_of_e(double x, const call *c)
{
	(void)c;
	return exp(x);
}

static double root(double x, const call *c)
{
	(void)c;
	return sqrt(x);
}

static double clip(double x, const call *c)
{
	if (c->in[1].data != NULL && x < *(const float *)c->in[1].data) x = *(const float *)c->in[1].data;
	if (c->in[2].data != NULL && x > *(const float *)c->in[2].data) x = *(const float *)c->in[2].data;
	return x;
}

/* Inputs are repeated along axes that they do not have, or have one element of. */
static void pairs(const call *c, char operation)
{
	const hy_graph_tensor *y = c->out[0].type;
	const float *a = c->in[0].data, *b = c->in[1].data;
	float *out = c->out[0].data;
	int64_t at[HY_MAX_RANK] = {0}, strides[2][HY_MAX_RANK] = {{0}};
	for (int k = 0; k < 2; k++) {
		const hy_graph_tensor *x = c->in[k].type;
		for (uint32_t i = 0; i < x->rank; i++)
			if (x->dim[i] != 1) strides[k][y->rank - x->rank + i] = abacus_product(x, i + 1, x->rank);
	}
	if (abacus_count(y) == 0) return;
	do {
		int64_t left = 0, right = 0;
		for (uint32_t i = 0; i < y->rank; i++) {
			left += at[i] * strides[0][i];
			right += at[i] * strides[1][i];
		}
		const float p = a[left], q = b[right];
		*out++ = operation == '+' ? p + q : operation == '-' ? p - q : operation == '*' ? p * q : p / q;
	} while (abacus_next(at, y->dim, y->rank));
}

/* ---- products ---- */

static void product(const call *c, bool a_turned, bool b_turned, float alpha, float beta)
{
	const hy_graph_tensor *a = c->in[0].type, *y = c->out[0].type, *bias = c->in[2].type;
	const float *left = c->in[0].data, *right = c->in[1].data;
	const int64_t rows = y->dim[0], columns = y->dim[1], terms = a->dim[a_turned ? 0 : 1];
	const int64_t bias_columns = bias != NULL && bias->rank > 0 ? bias->dim[bias->rank - 1] : 1,
		      bias_rows = bias != NULL && bias->rank > 1 ? bias->dim[0] : 1;
	for (int64_t i = 0; i < rows; i++) {
		for (int64_t j = 0; j < columns; j++) {
			double sum = 0;
			for (int64_t k = 0; k < terms; k++)
				sum += (double)left[a_turned ? k * rows + i : i * terms + k] *
				       right[b_turned ? j * terms + k : k * columns + j];
			sum *= alpha;
			if (bias != NULL)
				sum += beta *
				       (double)((const float *)c->in[2].data)[(bias_rows == 1 ? 0 : i) * bias_columns +
				                                              (bias_columns == 1 ? 0 : j)];
			((float *)c->out[0].data)[i * columns + j] = (float)sum;
		}
	}
}

static void matmul(const call *c)
{
	product(c, false, false, 1, 0);
}

static void gemm(const call *c)
{
	product(c, abacus_int(c, "transA", 0) != 0, abacus_int(c, "transB", 0) != 0, abacus_float(c, "alpha", 1),
	        abacus_float(c, "beta", 1));
}

/* ---- rows ---- */

static void softmax(const call *c)
{
	const hy_graph_tensor *x = c->in[0].type;
	const int64_t named = abacus_int(c, "axis", -1);
	const uint32_t axis = (uint32_t)(named < 0 ? named + x->rank : named);
	const int64_t inner = abacus_product(x, axis + 1, x->rank), length = x->dim[axis];
	for (int64_t row = 0; row < abacus_product(x, 0, axis) * inner; row++) {
		const int64_t from = row / inner * length * inner + row % inner;
		const float *in = (const float *)c->in[0].data + from;
		float *out = (float *)c->out[0].data + from;
		double greatest = -INFINITY, sum = 0;
		for (int64_t i = 0; i < length; i++)
			greatest = in[i * inner] > greatest ? in[i * inner] : greatest;
		for (int64_t i = 0; i < length; i++)
			sum += exp(in[i * inner] - greatest);
		for (int64_t i = 0; i < length; i++)
			out[i * inner] = (float)(exp(in[i * inner] - greatest) / sum);
	}
}

/* Inputs: x, scale, bias, mean, variance. */
static void batch_norm(const call *c)
{
	const hy_graph_tensor *x = c->in[0].type;
	const float *in = c->in[0].data, *scale = c->in[1].data, *bias = c->in[2].data, *mean = c->in[3].data,
		    *variance = c->in[4].data;
	const int64_t inner = abacus_product(x, 2, x->rank);
	for (int64_t i = 0; i < abacus_count(x); i++) {
		const int64_t k = i / inner % x->dim[1];
		const double root_of = sqrt((double)variance[k] + abacus_float(c, "epsilon", 1e-5f));
		((float *)c->out[0].data)[i] = (float)(((double)in[i] - mean[k]) / root_of * scale[k] + bias[k]);
	}
}

static void lrn(const call *c)
{
	const hy_graph_tensor *x = c->in[0].type;
	const float *in = c->in[0].data;
	const int64_t inner = abacus_product(x, 2, x->rank), channels = x->dim[1], size = abacus_int(c, "size", 1);
	const double alpha = abacus_float(c, "alpha", 1e-4f), beta = abacus_float(c, "beta", 0.75f),
		     bias = abacus_float(c, "bias", 1);
	for (int64_t i = 0; i < abacus_count(x); i++) {
		const int64_t channel = i / inner % channels, first = channel - (size - 1) / 2;
		double sum = 0;
		for (int64_t k = first < 0 ? 0 : first; k < first + size && k < channels; k++) {
			const double value = in[i + (k - channel) * inner];
			sum += value * value;
		}
		((float *)c->out[0].data)[i] = (float)(in[i] / pow(bias + alpha / (double)size * sum, beta));
	}
}

/* Axes as the second input; none: all of them, or nothing when the node says so. */
static void reduce(const call *c, bool is_mean)
{
	const hy_graph_tensor *x = c->in[0].type;
	const int64_t *axes = c->in[1].data;
	const int64_t count = axes != NULL ? abacus_count(c->in[1].type) : 0;
	int64_t strides[HY_MAX_RANK], kept[HY_MAX_RANK], gone[HY_MAX_RANK], at[HY_MAX_RANK] = {0};
	if (count == 0 && abacus_int(c, "noop_with_empty_axes", 0) != 0) {
		abacus_copy(c);
		return;
	}
	abacus_strides(x, strides);
	for (uint32_t i = 0; i < x->rank; i++) {
		bool is_gone = count == 0;
		for (int64_t k = 0; k < count; k++)
			is_gone |= axes[k] == i || axes[k] + x->rank == i;
		kept[i] = is_gone ? 1 : x->dim[i];
		gone[i] = is_gone ? x->dim[i] : 1;
	}
	float *out = c->out[0].data;
	if (abacus_count(c->out[0].type) == 0) return;
	do {
		int64_t in[HY_MAX_RANK] = {0}, terms = 0;
		double sum = 0;
		do {
			int64_t from = 0;
			for (uint32_t i = 0; i < x->rank; i++)
				from += (at[i] + in[i]) * strides[i];
			if (abacus_count(x) > 0) sum += ((const float *)c->in[0].data)[from];
			terms++;
		} while (abacus_next(in, gone, x->rank));
		*out++ = (float)(is_mean ? sum / (double)terms : sum);
	} while (abacus_next(at, kept, x->rank));
}

/* ---- the table ---- */

#define EACH(name, function)            \
	static void name(const call *c) \
	{                               \
		each(c, function);      \
	}
EACH(run_relu, relu)
EACH(run_leaky, leaky)
EACH(run_sigmoid, sigmoid)
EACH(run_tanh, hyperbolic)
EACH(run_exp, power_of_e)
EACH(run_sqrt, root)
EACH(run_clip, clip)

#define PAIRS(name, sign)               \
	static void name(const call *c) \
	{                               \
		pairs(c, sign);         \
	}
PAIRS(run_add, '+')
PAIRS(run_sub, '-')
PAIRS(run_mul, '*')
PAIRS(run_div, '/')

static void reduce_sum(const call *c)
{
	reduce(c, false);
}

static void reduce_mean(const call *c)
{
	reduce(c, true);
}

static bool pads_with_a_value(const call *c)
{
	return strcmp(abacus_text(c, "mode", "constant"), "constant") == 0;
}

static bool does_not_train(const call *c)
{
	return abacus_int(c, "training_mode", 0) == 0;
}

static const abacus_operator operators[] = {
	{"Relu", 1, 1, 0, run_relu, NULL},
	{"LeakyRelu", 1, 1, 0, run_leaky, NULL},
	{"Sigmoid", 1, 1, 0, run_sigmoid, NULL},
	{"Tanh", 1, 1, 0, run_tanh, NULL},
	{"Exp", 1, 1, 0, run_exp, NULL},
	{"Sqrt", 1, 1, 0, run_sqrt, NULL},
	{"Clip", 3, 1, 0, run_clip, NULL},
	{"Add", 2, 1, 0, run_add, NULL},
	{"Sub", 2, 1, 0, run_sub, NULL},
	{"Mul", 2, 1, 0, run_mul, NULL},
	{"Div", 2, 1, 0, run_div, NULL},
	{"MatMul", 2, 1, 2, matmul, NULL},
	{"Gemm", 3, 1, 2, gemm, NULL},
	{"Conv", 3, 1, 4, abacus_conv, NULL},
	{"MaxPool", 1, 1, 4, abacus_max_pool, NULL},
	{"AveragePool", 1, 1, 4, abacus_average_pool, NULL},
	{"GlobalAveragePool", 1, 1, 4, abacus_global_average_pool, NULL},
	{"Softmax", 1, 1, 0, softmax, NULL},
	{"BatchNormalization", 5, 1, 0, batch_norm, does_not_train},
	{"LRN", 1, 1, 0, lrn, NULL},
	{"ReduceSum", 2, 1, 0, reduce_sum, NULL},
	{"ReduceMean", 2, 1, 0, reduce_mean, NULL},
	{"Identity", 1, 1, 0, abacus_copy, NULL},
	{"Reshape", 2, 1, 0, abacus_copy, NULL},
	{"Flatten", 1, 1, 0, abacus_copy, NULL},
	{"Transpose", 1, 1, 0, abacus_transpose, NULL},
	{"Concat", ABACUS_OPERANDS, 1, 0, abacus_concat, NULL},
	{"Split", 2, ABACUS_OPERANDS, 0, abacus_split, NULL},
	{"Slice", 5, 1, 0, abacus_slice, NULL},
	{"Pad", 3, 1, 0, abacus_pad, pads_with_a_value},
};

const abacus_operator *abacus_operator_find(const char *name)
{
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
		if (strcmp(operators[i].name, name) == 0) return &operators[i];
	return NULL;
}

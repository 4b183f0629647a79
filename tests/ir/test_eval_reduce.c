/* Expectations are those of ONNX Runtime 1.31, or of the ONNX specification where it refuses. */
#include "one_node.h"

static void reductions_take_their_axes_as_an_input(void **state)
{
	(void)state;
	expect_node("ReduceMean", INPUTS(F32(DIMS(3, 2, 2), 5, 1, 20, 2, 30, 1, 40, 2, 55, 1, 60, 2), I64(DIMS(1), 1)),
	            ATTRS(hy_ir_attr_int("keepdims", 0)), OUTPUTS(F32(DIMS(3, 2), 12.5, 1.5, 35, 1.5, 57.5, 1.5)));
	expect_node("ReduceSum",
	            INPUTS(F32(DIMS(3, 2, 2), 5, 1, 20, 2, 30, 1, 40, 2, 55, 1, 60, 2), I64(DIMS(2), 0, -1)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(1, 2, 1), 93, 126)));
	expect_node("ReduceMax", INPUTS(F32(DIMS(3, 2, 2), 5, 1, 20, 2, 30, 1, 40, 2, 55, 1, 60, 2)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(1, 1, 1), 60)));
	expect_node("ReduceMin", INPUTS(F32(DIMS(3, 2, 2), 5, 1, 20, 2, 30, 1, 40, 2, 55, 1, 60, 2), I64(DIMS(1), -2)),
	            NO_ATTRS, OUTPUTS(F32(DIMS(3, 1, 2), 5, 1, 30, 1, 55, 1)));
	expect_node("ReduceProd", INPUTS(F32(DIMS(3, 2, 2), 5, 1, 20, 2, 30, 1, 40, 2, 55, 1, 60, 2), I64(DIMS(1), 2)),
	            ATTRS(hy_ir_attr_int("keepdims", 0)), OUTPUTS(F32(DIMS(3, 2), 5, 40, 30, 80, 55, 120)));
	expect_node("ReduceL1",
	            INPUTS(F32(DIMS(3, 2, 2), -5, -1, -20, -2, -30, -1, -40, -2, -55, -1, -60, -2), I64(DIMS(1), 1)),
	            ATTRS(hy_ir_attr_int("keepdims", 0)), OUTPUTS(F32(DIMS(3, 2), 25, 3, 70, 3, 115, 3)));
	expect_node("ReduceL2", INPUTS(F32(DIMS(3, 2, 2), 5, 1, 20, 2, 30, 1, 40, 2, 55, 1, 60, 2), I64(DIMS(1), 1)),
	            ATTRS(hy_ir_attr_int("keepdims", 0)),
	            OUTPUTS(F32(DIMS(3, 2), 20.615528, 2.236068, 50, 2.236068, 81.394104, 2.236068)));
	expect_node("ReduceSumSquare",
	            INPUTS(F32(DIMS(3, 2, 2), 5, 1, 20, 2, 30, 1, 40, 2, 55, 1, 60, 2), I64(DIMS(1), 1)),
	            ATTRS(hy_ir_attr_int("keepdims", 0)), OUTPUTS(F32(DIMS(3, 2), 425, 5, 2500, 5, 6625, 5)));
	expect_node("ReduceLogSum",
	            INPUTS(F32(DIMS(3, 2, 2), 5, 1, 20, 2, 30, 1, 40, 2, 55, 1, 60, 2), I64(DIMS(1), 1)),
	            ATTRS(hy_ir_attr_int("keepdims", 0)),
	            OUTPUTS(F32(DIMS(3, 2), 3.2188759, 1.0986123, 4.2484951, 1.0986123, 4.7449322, 1.0986123)));
}

static void log_sum_exp_of_large_numbers_stays_finite(void **state)
{
	(void)state;
	expect_node("ReduceLogSumExp", INPUTS(F32(DIMS(2, 2), 1000, 1001, 1, 2), I64(DIMS(1), 1)),
	            ATTRS(hy_ir_attr_int("keepdims", 0)), OUTPUTS(F32(DIMS(2), 1001.3132, 2.3132617)));
}

static void log_sum_exp_of_infinities_is_infinite(void **state)
{
	(void)state;
	expect_node("ReduceLogSumExp", INPUTS(F32(DIMS(2, 2), -INFINITY, -INFINITY, INFINITY, 0), I64(DIMS(1), 1)),
	            ATTRS(hy_ir_attr_int("keepdims", 0)), OUTPUTS(F32(DIMS(2), -INFINITY, INFINITY)));
}

static void empty_axes_mean_all_or_none(void **state)
{
	(void)state;
	expect_node("ReduceMax", INPUTS(F32(DIMS(3, 2, 2), 5, 1, 20, 2, 30, 1, 40, 2, 55, 1, 60, 2)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(1, 1, 1), 60)));
	expect_node("ReduceSum", INPUTS(F32(DIMS(3, 2, 2), 5, 1, 20, 2, 30, 1, 40, 2, 55, 1, 60, 2), EMPTY(I64, 0)),
	            ATTRS(hy_ir_attr_int("noop_with_empty_axes", 1)),
	            OUTPUTS(F32(DIMS(3, 2, 2), 5, 1, 20, 2, 30, 1, 40, 2, 55, 1, 60, 2)));
}

static void the_mean_of_integers_is_cut(void **state)
{
	(void)state;
	expect_node("ReduceMean", INPUTS(I64(DIMS(2, 2), 1, 2, 4, 7), I64(DIMS(1), 1)),
	            ATTRS(hy_ir_attr_int("keepdims", 0)), OUTPUTS(I64(DIMS(2), 1, 5)));
}

static void the_maximum_of_nothing_is_minus_infinity(void **state)
{
	(void)state;
	expect_node("ReduceMax", INPUTS(EMPTY(F32, 2, 0), I64(DIMS(1), 1)), ATTRS(hy_ir_attr_int("keepdims", 0)),
	            OUTPUTS(F32(DIMS(2), -INFINITY, -INFINITY)));
}

static void arg_max_takes_the_first_of_equals_unless_told(void **state)
{
	(void)state;
	expect_node("ArgMax", INPUTS(F32(DIMS(2, 3), 3, 1, 3, 0, 5, 2)), ATTRS(hy_ir_attr_int("axis", 1)),
	            OUTPUTS(I64(DIMS(2, 1), 0, 1)));
	expect_node(
		"ArgMax", INPUTS(F32(DIMS(2, 3), 3, 1, 3, 0, 5, 2)),
		ATTRS(hy_ir_attr_int("axis", 1), hy_ir_attr_int("select_last_index", 1), hy_ir_attr_int("keepdims", 0)),
		OUTPUTS(I64(DIMS(2), 2, 1)));
	expect_node("ArgMin", INPUTS(F32(DIMS(2, 3), 3, 1, 3, 0, 5, 2)),
	            ATTRS(hy_ir_attr_int("axis", 0), hy_ir_attr_int("keepdims", 0)), OUTPUTS(I64(DIMS(3), 1, 0, 1)));
}

static void running_sums_can_be_exclusive_and_reverse(void **state)
{
	(void)state;
	expect_node("CumSum", INPUTS(F32(DIMS(2, 3), 0, 1, 2, 3, 4, 5), I64(SCALAR, 1)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(2, 3), 0, 1, 3, 3, 7, 12)));
	expect_node("CumSum", INPUTS(F32(DIMS(2, 3), 0, 1, 2, 3, 4, 5), I64(SCALAR, 1)),
	            ATTRS(hy_ir_attr_int("exclusive", 1), hy_ir_attr_int("reverse", 1)),
	            OUTPUTS(F32(DIMS(2, 3), 3, 2, 0, 9, 5, 0)));
}

static void top_k_sorts_and_takes_equals_in_order(void **state)
{
	(void)state;
	expect_node("TopK", INPUTS(F32(DIMS(2, 3), 1, 4, 4, 2, 9, 0), I64(DIMS(1), 2)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(2, 2), 4, 4, 9, 2), I64(DIMS(2, 2), 1, 2, 1, 0)));
	expect_node("TopK", INPUTS(F32(DIMS(2, 3), 1, 4, 4, 2, 9, 0), I64(DIMS(1), 1)),
	            ATTRS(hy_ir_attr_int("axis", 0), hy_ir_attr_int("largest", 0)),
	            OUTPUTS(F32(DIMS(1, 3), 1, 4, 0), I64(DIMS(1, 3), 0, 0, 1)));
}

static void u64_beyond_63_bits_reduces_as_unsigned(void **state)
{
	(void)state;
	expect_node("ReduceMax", INPUTS(U64(DIMS(2), 1, 9223372036854775808u)), NO_ATTRS,
	            OUTPUTS(U64(DIMS(1), 9223372036854775808u)));
	expect_node("ReduceMin", INPUTS(U64(DIMS(2), 1, 9223372036854775808u)), NO_ATTRS, OUTPUTS(U64(DIMS(1), 1)));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(reductions_take_their_axes_as_an_input),
		CASE(log_sum_exp_of_large_numbers_stays_finite),
		CASE(log_sum_exp_of_infinities_is_infinite),
		CASE(empty_axes_mean_all_or_none),
		CASE(the_mean_of_integers_is_cut),
		CASE(the_maximum_of_nothing_is_minus_infinity),
		CASE(arg_max_takes_the_first_of_equals_unless_told),
		CASE(running_sums_can_be_exclusive_and_reverse),
		CASE(top_k_sorts_and_takes_equals_in_order),
		CASE(u64_beyond_63_bits_reduces_as_unsigned),
	};
	return cmocka_run_group_tests_name("ir.eval_reduce", cases, NULL, NULL);
}

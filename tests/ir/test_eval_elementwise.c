/* Expectations are those of ONNX Runtime 1.31, or of the ONNX specification where it refuses. */
#include "one_node.h"

static void operands_broadcast(void **state)
{
	(void)state;
	expect_node("Add", INPUTS(F32(DIMS(2, 1, 3), 0, 1, 2, 3, 4, 5), F32(DIMS(2, 1), 10, 20)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(2, 2, 3), 10, 11, 12, 20, 21, 22, 13, 14, 15, 23, 24, 25)));
}

static void integers_divide_towards_zero(void **state)
{
	(void)state;
	expect_node("Div", INPUTS(I32(DIMS(4), 7, -7, 7, -7), I32(DIMS(4), 2, 2, -2, -2)), NO_ATTRS,
	            OUTPUTS(I32(DIMS(4), 3, -3, -3, 3)));
}

static void mod_has_the_sign_of_the_divisor_unless_fmod(void **state)
{
	(void)state;
	expect_node("Mod", INPUTS(I32(DIMS(4), 7, -7, 7, -7), I32(DIMS(4), 3, 3, -3, -3)), NO_ATTRS,
	            OUTPUTS(I32(DIMS(4), 1, 2, -2, -1)));
	expect_node("Mod", INPUTS(I32(DIMS(4), 7, -7, 7, -7), I32(DIMS(4), 3, 3, -3, -3)),
	            ATTRS(hy_ir_attr_int("fmod", 1)), OUTPUTS(I32(DIMS(4), 1, -1, 1, -1)));
	expect_node("Mod", INPUTS(F32(DIMS(2), 7.5, -7.5), F32(DIMS(2), 2, 2)), ATTRS(hy_ir_attr_int("fmod", 1)),
	            OUTPUTS(F32(DIMS(2), 1.5, -1.5)));
}

static void power_keeps_the_type_of_its_base(void **state)
{
	(void)state;
	expect_node("Pow", INPUTS(F32(DIMS(3), 2, 3, 4), I64(DIMS(3), 3, 2, -1)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(3), 8, 9, 0.25)));
	expect_node("Pow", INPUTS(I64(DIMS(3), 2, 3, -2), I64(DIMS(3), 10, 2, 3)), NO_ATTRS,
	            OUTPUTS(I64(DIMS(3), 1024, 9, -8)));
}

static void prelu_has_a_slope_per_channel(void **state)
{
	(void)state;
	expect_node("PRelu", INPUTS(F32(DIMS(2, 2), -1, 2, -3, -4), F32(DIMS(2), 0.5, 0.25)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(2, 2), -0.5, 2, -1.5, -1)));
}

static void unsigned_numbers_beyond_63_bits_compare_as_unsigned(void **state)
{
	(void)state;
	expect_node("Greater", INPUTS(U64(DIMS(2), 9223372036854775808u, 1u), U64(DIMS(2), 1u, 9223372036854775808u)),
	            NO_ATTRS, OUTPUTS(BOOL(DIMS(2), 1, 0)));
}

static void xor_takes_bools(void **state)
{
	(void)state;
	expect_node("Xor", INPUTS(BOOL(DIMS(4), 0, 0, 1, 1), BOOL(DIMS(4), 0, 1, 0, 1)), NO_ATTRS,
	            OUTPUTS(BOOL(DIMS(4), 0, 1, 1, 0)));
}

static void variadic_operators_fold_all_inputs(void **state)
{
	(void)state;
	expect_node("Max", INPUTS(F32(DIMS(3), 1, 5, 3), F32(DIMS(1), 4), F32(DIMS(3), 2, 2, 9)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(3), 4, 5, 9)));
	expect_node("Mean", INPUTS(F32(DIMS(2), 1, 2), F32(DIMS(2), 3, 6)), NO_ATTRS, OUTPUTS(F32(DIMS(2), 2, 4)));
	expect_node("Sum", INPUTS(F32(DIMS(2), 1, 2), F32(DIMS(1), 10)), NO_ATTRS, OUTPUTS(F32(DIMS(2), 11, 12)));
	expect_node("Min", INPUTS(I8(DIMS(2), 3, -1), I8(DIMS(2), 2, 2)), NO_ATTRS, OUTPUTS(I8(DIMS(2), 2, -1)));
}

static void where_picks_by_condition(void **state)
{
	(void)state;
	expect_node("Where", INPUTS(BOOL(DIMS(2, 1), 1, 0), F32(DIMS(2), 1, 2), F32(DIMS(1), 3)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(2, 2), 1, 2, 3, 3)));
}

static void clip_applies_the_upper_bound_last(void **state)
{
	(void)state;
	expect_node("Clip", INPUTS(F32(DIMS(3), -2, 0.5, 9), F32(SCALAR, 0), F32(SCALAR, 1)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(3), 0, 0.5, 1)));
	expect_node("Clip", INPUTS(F32(DIMS(3), -2, 0.5, 9), ABSENT, F32(SCALAR, 1)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(3), -2, 0.5, 1)));
	expect_node("Clip", INPUTS(F32(DIMS(3), -2, 0.5, 9), F32(SCALAR, 3), F32(SCALAR, 1)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(3), 1, 1, 1)));
}

static void functions_of_one_number_are_those_of_the_specification(void **state)
{
	(void)state;
	expect_node("Sqrt", INPUTS(F32(DIMS(3), 0, 1, 2)), NO_ATTRS, OUTPUTS(F32(DIMS(3), 0, 1, 1.4142135)));
	expect_node("Erf", INPUTS(F32(DIMS(5), -3, -0.5, 0, 0.5, 3)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(5), -0.99997789, -0.52049989, 0, 0.52049989, 0.99997789)));
	expect_node("Exp", INPUTS(F32(DIMS(5), -3, -0.5, 0, 0.5, 3)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(5), 0.049787067, 0.60653067, 1, 1.6487212, 20.085537)));
	expect_node("Sin", INPUTS(F32(DIMS(5), -3, -0.5, 0, 0.5, 3)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(5), -0.14112, -0.47942555, 0, 0.47942555, 0.14112)));
	expect_node("Cos", INPUTS(F32(DIMS(5), -3, -0.5, 0, 0.5, 3)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(5), -0.9899925, 0.87758255, 1, 0.87758255, -0.9899925)));
	expect_node("Tanh", INPUTS(F32(DIMS(5), -3, -0.5, 0, 0.5, 3)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(5), -0.99505472, -0.46211717, 0, 0.46211717, 0.99505472)));
	expect_node("Sigmoid", INPUTS(F32(DIMS(5), -3, -0.5, 0, 0.5, 3)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(5), 0.047425866, 0.37754071, 0.5, 0.62245929, 0.95257413)));
	expect_node("Log", INPUTS(F32(DIMS(2), 1, 2)), NO_ATTRS, OUTPUTS(F32(DIMS(2), 0, 0.69314718)));
	expect_node("Reciprocal", INPUTS(F32(DIMS(2), 2, -4)), NO_ATTRS, OUTPUTS(F32(DIMS(2), 0.5, -0.25)));
}

static void activations_are_those_of_the_specification(void **state)
{
	(void)state;
	expect_node("Relu", INPUTS(F32(DIMS(5), -3, -0.5, 0, 0.5, 3)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(5), 0, 0, 0, 0.5, 3)));
	expect_node("LeakyRelu", INPUTS(F32(DIMS(5), -3, -0.5, 0, 0.5, 3)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(5), -0.029999999, -0.0049999999, 0, 0.5, 3)));
	expect_node("LeakyRelu", INPUTS(F32(DIMS(5), -3, -0.5, 0, 0.5, 3)), ATTRS(hy_ir_attr_float("alpha", 0.5f)),
	            OUTPUTS(F32(DIMS(5), -1.5, -0.25, 0, 0.5, 3)));
	expect_node("Elu", INPUTS(F32(DIMS(5), -3, -0.5, 0, 0.5, 3)), ATTRS(hy_ir_attr_float("alpha", 2.0f)),
	            OUTPUTS(F32(DIMS(5), -1.9004259, -0.78693867, 0, 0.5, 3)));
	expect_node("Selu", INPUTS(F32(DIMS(5), -3, -0.5, 0, 0.5, 3)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(5), -1.6705687, -0.69175816, 0, 0.52535051, 3.1521029)));
	expect_node("HardSigmoid", INPUTS(F32(DIMS(5), -3, -0.5, 0, 0.5, 3)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(5), 0, 0.40000001, 0.5, 0.60000002, 1)));
	expect_node("HardSwish", INPUTS(F32(DIMS(5), -3, -0.5, 0, 0.5, 3)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(5), -0, -0.20833333, 0, 0.29166666, 3)));
	expect_node("Mish", INPUTS(F32(DIMS(5), -3, -0.5, 0, 0.5, 3)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(5), -0.14564745, -0.22074378, 0, 0.37524524, 2.9865355)));
	expect_node("Softplus", INPUTS(F32(DIMS(5), -3, -0.5, 0, 0.5, 3)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(5), 0.048587356, 0.47407699, 0.69314718, 0.97407699, 3.0485873)));
	expect_node("Softsign", INPUTS(F32(DIMS(5), -3, -0.5, 0, 0.5, 3)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(5), -0.75, -0.33333334, 0, 0.33333334, 0.75)));
	expect_node("ThresholdedRelu", INPUTS(F32(DIMS(5), -3, -0.5, 0, 0.5, 3)),
	            ATTRS(hy_ir_attr_float("alpha", 0.25f)), OUTPUTS(F32(DIMS(5), 0, 0, 0, 0.5, 3)));
	expect_node("Gelu", INPUTS(F32(DIMS(5), -3, -0.5, 0, 0.5, 3)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(5), -0.0040496886, -0.15426877, 0, 0.34573123, 2.9959502)));
	expect_node("Gelu", INPUTS(F32(DIMS(5), -3, -0.5, 0, 0.5, 3)), ATTRS(hy_ir_attr_string("approximate", "tanh")),
	            OUTPUTS(F32(DIMS(5), -0.0036375225, -0.154286, 0, 0.345714, 2.9963627)));
}

static void signs_are_kept_or_dropped(void **state)
{
	(void)state;
	expect_node("Neg", INPUTS(F32(DIMS(5), -3, -0.5, 0, 0.5, 3)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(5), 3, 0.5, -0, -0.5, -3)));
	expect_node("Abs", INPUTS(F32(DIMS(5), -3, -0.5, 0, 0.5, 3)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(5), 3, 0.5, 0, 0.5, 3)));
	expect_node("Sign", INPUTS(F32(DIMS(5), -3, -0.5, 0, 0.5, 3)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(5), -1, -1, 0, 1, 1)));
}

static void round_goes_to_even(void **state)
{
	(void)state;
	expect_node("Floor", INPUTS(F32(DIMS(2), -1.5, 1.5)), NO_ATTRS, OUTPUTS(F32(DIMS(2), -2, 1)));
	expect_node("Ceil", INPUTS(F32(DIMS(2), -1.5, 1.5)), NO_ATTRS, OUTPUTS(F32(DIMS(2), -1, 2)));
	expect_node("Round", INPUTS(F32(DIMS(5), -2.5, -1.5, 0.5, 1.5, 2.4000001)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(5), -2, -2, 0, 2, 2)));
}

static void tests_give_bools(void **state)
{
	(void)state;
	expect_node("Not", INPUTS(BOOL(DIMS(2), 0, 1)), NO_ATTRS, OUTPUTS(BOOL(DIMS(2), 1, 0)));
	expect_node("IsNaN", INPUTS(F32(DIMS(2), NAN, 1)), NO_ATTRS, OUTPUTS(BOOL(DIMS(2), 1, 0)));
	expect_node("IsInf", INPUTS(F32(DIMS(3), INFINITY, -INFINITY, 1)), ATTRS(hy_ir_attr_int("detect_negative", 0)),
	            OUTPUTS(BOOL(DIMS(3), 1, 0, 0)));
}

static void integer_overflow_wraps(void **state)
{
	(void)state;
	expect_node("Add", INPUTS(I8(DIMS(2), 127, -128), I8(DIMS(2), 1, -1)), NO_ATTRS,
	            OUTPUTS(I8(DIMS(2), -128, 127)));
	expect_node("Div", INPUTS(I64(SCALAR, INT64_MIN), I64(SCALAR, -1)), NO_ATTRS, OUTPUTS(I64(SCALAR, INT64_MIN)));
	expect_node("Neg", INPUTS(I64(SCALAR, INT64_MIN)), NO_ATTRS, OUTPUTS(I64(SCALAR, INT64_MIN)));
}

static void an_integer_divided_by_zero_is_refused(void **state)
{
	(void)state;
	one_node n;
	const hy_ir_tensor in[] = {I32(DIMS(1), 1), I32(DIMS(1), 0)}, out = I32(DIMS(1), 0);
	make_node(&n, "Div", 2, in, NO_ATTRS, 1);
	EXPECT_STATUS(HY_INVALID, hy_ir_eval_node(&n.node, in, &out, &error));
	assert_string_equal(error.text, "Div 'it': an integer is divided by 0");
}

static void nan_stays_in_max_and_min(void **state)
{
	(void)state;
	expect_node("Max", INPUTS(F32(DIMS(2), NAN, 1), F32(DIMS(2), 1, NAN)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(2), NAN, NAN)));
}

static void cast_cuts_holds_and_wraps(void **state)
{
	(void)state;
	expect_node("Cast", INPUTS(F32(DIMS(5), 1.9f, -1.9f, 1e9f, -300, NAN)),
	            ATTRS(hy_ir_attr_int("to", HY_DTYPE_I8)), OUTPUTS(I8(DIMS(5), 1, -1, 127, -128, 0)));
	expect_node("Cast", INPUTS(I32(DIMS(2), 257, -1)), ATTRS(hy_ir_attr_int("to", HY_DTYPE_U8)),
	            OUTPUTS(U8(DIMS(2), 1, 255)));
	expect_node("Cast", INPUTS(F32(DIMS(3), 0, -0.5f, NAN)), ATTRS(hy_ir_attr_int("to", HY_DTYPE_BOOL)),
	            OUTPUTS(BOOL(DIMS(3), 0, 1, 1)));
}

static void cast_rounds_once(void **state)
{
	(void)state;
	/* 2049 is a tie in f16; a float in between would take both neighbours for it. */
	expect_bits("Cast", INPUTS(F64(DIMS(3), 2049 + 0x1p-40, 2049 - 0x1p-40, -0x1.004p0 - 0x1p-50)),
	            ATTRS(hy_ir_attr_int("to", HY_DTYPE_F16)), OUTPUTS(F16(DIMS(3), 0x6801, 0x6800, 0xbc01)));
	/* 2^62 + 2^38 + 1: a double in between would round it to the tie of two floats. */
	expect_bits("Cast", INPUTS(I64(DIMS(2), 4611686293305294849, -4611686293305294849)),
	            ATTRS(hy_ir_attr_int("to", HY_DTYPE_F32)), OUTPUTS(F32(DIMS(2), 0x1.000002p62f, -0x1.000002p62f)));
	expect_bits("Cast", INPUTS(F32(DIMS(2), 0x1.01p0f, 0x1.03p0f)), ATTRS(hy_ir_attr_int("to", HY_DTYPE_BF16)),
	            OUTPUTS(BF16(DIMS(2), 0x3f80, 0x3f82)));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(operands_broadcast),
		CASE(integers_divide_towards_zero),
		CASE(mod_has_the_sign_of_the_divisor_unless_fmod),
		CASE(power_keeps_the_type_of_its_base),
		CASE(prelu_has_a_slope_per_channel),
		CASE(unsigned_numbers_beyond_63_bits_compare_as_unsigned),
		CASE(xor_takes_bools),
		CASE(variadic_operators_fold_all_inputs),
		CASE(where_picks_by_condition),
		CASE(clip_applies_the_upper_bound_last),
		CASE(functions_of_one_number_are_those_of_the_specification),
		CASE(activations_are_those_of_the_specification),
		CASE(signs_are_kept_or_dropped),
		CASE(round_goes_to_even),
		CASE(tests_give_bools),
		CASE(integer_overflow_wraps),
		CASE(an_integer_divided_by_zero_is_refused),
		CASE(nan_stays_in_max_and_min),
		CASE(cast_cuts_holds_and_wraps),
		CASE(cast_rounds_once),
	};
	return cmocka_run_group_tests_name("ir.eval_elementwise", cases, NULL, NULL);
}

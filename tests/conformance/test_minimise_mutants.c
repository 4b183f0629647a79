#include "test.h"

#include "reproducer.h"

static const struct {
	int mutant;
	const char *id;
} rows[] = {
	{64, "operator.Conv.3x3_pad"}, /* pads ignored */
	{67, "operator.Softmax.middle_axis"}, /* axis ignored */
	{68, "operator.Gemm.trans_both"}, /* trans_b ignored */
	{72, "operator.AveragePool.3x3_pad_counted"}, /* count_include_pad ignored */
	{75, "operator.MatMul.k_16384"}, /* last k dropped */
	{81, "operator.Conv.normal_k_576"}, /* inputs in bf16 */
	{83, "operator.Max.special"}, /* NaN becomes zero */
	{91, "operator.LayerNormalization.3d"}, /* one-pass variance */
	{92, "region.anchor.conv_add_relu"}, /* last step of a region dropped */
	{93, "region.elementwise.mul_add_channel"}, /* operand of a region read as a scalar */
	{97, "operator.Conv.3x3_pad"}, /* segfault in exec */
	{98, "operator.Gemm.plain"}, /* exit(0) in compile */
	{99, "operator.Conv.3x3"}, /* abort in exec */
	{100, "operator.Conv.1x1"}, /* hang in exec */
	{101, "operator.Conv.1x1"}, /* endless log in exec */
	{102, "operator.Conv.1x1"}, /* null: success */
};

static void reproducers_of_the_mutants_fail_alone(void **state)
{
	(void)state;
	hy_error error = {.text = ""};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		reproducer r;
		reproducer_begin(rows[i].mutant, &r);
		EXPECT_OK(reproducer_minimise(&r, rows[i].id, &error));
		printf("mutant %d: %s %s, %u tries\n    %s\n    %s\n", rows[i].mutant,
		       hy_conform_status_name(r.result.status), rows[i].id, r.result.tries, r.result.before,
		       r.result.after);
		reproducer_prove(&r);
		reproducer_end(&r);
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {CASE(reproducers_of_the_mutants_fail_alone)};
	return cmocka_run_group_tests_name("conformance.minimise_mutants", cases, NULL, NULL);
}

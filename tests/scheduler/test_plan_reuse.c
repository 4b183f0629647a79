/* Plans as contracts: used again as they are, refused where anything is another; and drawn. */
#include "world.h"

#include "plan.h"

#include <jansson.h>

#define TWO                                                          \
	"devices:\n"                                                 \
	"- {name: one, flops: 1e9, memory: 40000, bandwidth: 1e9}\n" \
	"- {name: two, flops: 1e9, memory: 40000, bandwidth: 1e9}\n"

typedef struct world {
	hy_hal_machine *machine;
	hy_ir_graph *graph;
	char *text; /* of a plan that needs both devices */
} world;

static int setup(void **state)
{
	static world w;
	hy_sched_plan *plan;
	const hy_sched_options options = {.size = sizeof(options), .devices = "sim:*", .measure_ns = 100000};
	w.machine = world_machine(TWO);
	w.graph = world_model(4, 64);
	EXPECT_OK(hy_sched_plan_create(w.machine, w.graph, &options, &plan, &error));
	EXPECT_OK(hy_sched_plan_print(plan, true, &w.text, &error));
	hy_sched_plan_destroy(plan);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	world *w = *state;
	free(w->text);
	hy_ir_graph_destroy(w->graph);
	hy_hal_machine_close(w->machine);
	return 0;
}

static hy_status plan_again(const world *w, const hy_ir_graph *graph, const char *text, hy_sched_plan **out_plan)
{
	const hy_sched_options options = {.size = sizeof(options), .plan_text = text};
	*out_plan = NULL;
	return hy_sched_plan_create(w->machine, graph, &options, out_plan, &error);
}

/* The text with the first `old` replaced. The caller frees it. */
static char *with(const char *text, const char *old, const char *fresh)
{
	const char *at = strstr(text, old);
	assert_non_null(at);
	char *copy = malloc(strlen(text) + strlen(fresh) + 1);
	sprintf(copy, "%.*s%s%s", (int)(at - text), text, fresh, at + strlen(old));
	return copy;
}

static void a_plan_is_used_again_as_it_was(void **state)
{
	const world *w = *state;
	hy_sched_plan *plan;
	hy_sched_session *session;
	world_request request;
	char *again;
	EXPECT_OK(plan_again(w, w->graph, w->text, &plan));
	assert_int_equal(hy_sched_plan_describe(plan)->strategy, HY_SCHED_CUT);
	EXPECT_OK(hy_sched_plan_print(plan, true, &again, &error));
	json_t *first = json_loads(w->text, 0, NULL), *second = json_loads(again, 0, NULL);
	assert_true(json_equal(json_object_get(first, "contract"), json_object_get(second, "contract")));
	json_decref(first);
	json_decref(second);
	free(again);
	EXPECT_OK(hy_sched_session_create(plan, &session, &error));
	world_request_init(&request, w->graph, 1);
	EXPECT_OK(hy_sched_session_submit(session, &request.input, &request.output, world_done, &request, &error));
	EXPECT_OK(hy_sched_session_drain(session, &error));
	world_expect_right(&request);
	world_request_finish(&request);
	hy_sched_session_destroy(session);
	hy_sched_plan_destroy(plan);
}

static void another_model_is_refused(void **state)
{
	const world *w = *state;
	hy_sched_plan *plan;
	hy_ir_graph *other = world_model(4, 48);
	EXPECT_STATUS(HY_INCOMPATIBLE, plan_again(w, other, w->text, &plan));
	assert_non_null(strstr(error.text, "another model"));
	hy_ir_graph_destroy(other);
}

static void another_driver_is_refused_and_named(void **state)
{
	const world *w = *state;
	hy_sched_plan *plan;
	char *text = with(w->text, "\"driver\": \"", "\"driver\": \"older ");
	EXPECT_STATUS(HY_INCOMPATIBLE, plan_again(w, w->graph, text, &plan));
	assert_non_null(strstr(error.text, "sim:0: the plan's driver is 'older "));
	free(text);
}

static void a_device_that_is_gone_is_named(void **state)
{
	const world *w = *state;
	hy_sched_plan *plan;
	char *contract = strstr(w->text, "\"contract\""), *tail = with(contract, "\"sim:1\"", "\"sim:7\"");
	char *text = with(w->text, contract, tail);
	EXPECT_STATUS(HY_NOT_FOUND, plan_again(w, w->graph, text, &plan));
	assert_non_null(strstr(error.text, "sim:7"));
	free(tail);
	free(text);
}

static void more_memory_than_the_contract_is_refused_in_bytes(void **state)
{
	const world *w = *state;
	hy_sched_plan *plan;
	char *text = with(w->text, "\"memory_bytes\": ", "\"memory_bytes\": 1000, \"was\": ");
	EXPECT_STATUS(HY_NO_MEMORY, plan_again(w, w->graph, text, &plan));
	assert_non_null(strstr(error.text, "more than the plan allows"));
	free(text);
}

static void nodes_that_a_contract_leaves_out_are_named(void **state)
{
	const world *w = *state;
	hy_sched_plan *plan;
	json_t *root = json_loads(w->text, 0, NULL);
	json_t *lane = json_array_get(json_object_get(json_object_get(root, "contract"), "lanes"), 0);
	json_t *last = json_array_get(json_object_get(lane, "segments"), 1);
	json_object_set_new(last, "count", json_integer(1));
	char *text = json_dumps(root, 0);
	EXPECT_STATUS(HY_INVALID, plan_again(w, w->graph, text, &plan));
	assert_non_null(strstr(error.text, "a lane ends before node"));
	free(text);
	json_decref(root);
}

static void what_is_no_plan_is_refused_wherever_it_ends(void **state)
{
	const world *w = *state;
	hy_sched_plan *plan;
	char *text = strdup(w->text);
	for (size_t length = strlen(text) - 1; length > 0; length -= length > 97 ? 97 : 1) {
		text[length] = '\0';
		assert_int_not_equal(plan_again(w, w->graph, text, &plan), HY_OK);
	}
	free(text);
	EXPECT_STATUS(HY_INVALID, plan_again(w, w->graph, "", &plan));
	EXPECT_STATUS(HY_INVALID, plan_again(w, w->graph, "[]", &plan));
	EXPECT_STATUS(HY_INVALID, plan_again(w, w->graph, "{\"schema\": \"halyard.plan/v1\"}", &plan));
}

static void numbers_of_a_contract_that_are_none_are_refused(void **state)
{
	const world *w = *state;
	static const char *const wrong[][2] = {{"\"first\": 0", "\"first\": -1"},
	                                       {"\"first\": 0", "\"first\": 4294967296"},
	                                       {"\"first\": 0", "\"first\": 0.5"},
	                                       {"\"rate_per_s\": ", "\"rate_per_s\": null, \"x\": "},
	                                       {"\"owner\": 0", "\"owner\": 9"},
	                                       {"\"lanes\": [", "\"lanes\": [], \"x\": ["},
	                                       {"\"devices\": [", "\"devices\": [], \"x\": ["},
	                                       {"\"model_hash\": \"", "\"model_hash\": \"z"},
	                                       {"\"memory_bytes\": ", "\"memory_bytes\": -"}};
	const char *contract = strstr(w->text, "\"contract\"");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		hy_sched_plan *plan;
		char *tail = with(contract, wrong[i][0], wrong[i][1]), *text = with(w->text, contract, tail);
		EXPECT_STATUS(HY_INVALID, plan_again(w, w->graph, text, &plan));
		free(tail);
		free(text);
	}
}

static uint32_t times(const char *text, const char *part)
{
	uint32_t count = 0;
	for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
		count++;
	return count;
}

static void a_drawing_has_every_node_and_the_copies(void **state)
{
	const world *w = *state;
	hy_sched_plan *plan;
	char *svg;
	EXPECT_OK(plan_again(w, w->graph, w->text, &plan));
	EXPECT_OK(hy_sched_plan_draw(plan, &svg, &error));
	assert_int_equal(times(svg, "<g><rect"), 8);
	assert_int_equal(times(svg, "stroke=\"#c00\""), 1); /* from one device to the other */
	assert_int_equal(times(svg, "256 B</text>"), 1);
	assert_int_equal(times(svg, "<text"), times(svg, "</text>"));
	assert_true(strncmp(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\"", 39) == 0);
	assert_null(strstr(svg, "href"));
	free(svg);
	hy_sched_plan_destroy(plan);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_plan_is_used_again_as_it_was),
		CASE(another_model_is_refused),
		CASE(another_driver_is_refused_and_named),
		CASE(a_device_that_is_gone_is_named),
		CASE(more_memory_than_the_contract_is_refused_in_bytes),
		CASE(nodes_that_a_contract_leaves_out_are_named),
		CASE(what_is_no_plan_is_refused_wherever_it_ends),
		CASE(numbers_of_a_contract_that_are_none_are_refused),
		CASE(a_drawing_has_every_node_and_the_copies),
	};
	return cmocka_run_group_tests(cases, setup, teardown);
}

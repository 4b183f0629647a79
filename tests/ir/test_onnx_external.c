/* External data, in a folder made for each case:
 *     base/outside.bin, base/other/, base/model/{m.onnx, w.bin, sub/w.bin, ...} */
#include "test.h"

#include <halyard/ir/onnx.h>

#include "ir/onnx_bytes.h"
#include "onnx_read.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static hy_error error;
static char base[256];

static const int64_t two[] = {2, -1};
static const float weights[3] = {1.5f, -2, 8};

static const char *at(const char *name)
{
	static char path[2][512];
	static int turn;
	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", base, name);
	return path[turn];
}

static void write_file(const char *name, const void *data, size_t length)
{
	FILE *file = fopen(at(name), "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, length, file), length);
	fclose(file);
}

static int make_folder(void **state)
{
	(void)state;
	snprintf(base, sizeof(base), "%s/external.XXXXXX", HY_BINARY_DIR);
	assert_non_null(mkdtemp(base));
	assert_int_equal(mkdir(at("model"), 0755), 0);
	assert_int_equal(mkdir(at("model/sub"), 0755), 0);
	assert_int_equal(mkdir(at("other"), 0755), 0);
	write_file("outside.bin", weights, sizeof(weights));
	write_file("other/w.bin", weights, sizeof(weights));
	write_file("model/w.bin", weights, sizeof(weights));
	write_file("model/sub/w.bin", weights, sizeof(weights));
	return 0;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
	(void)info;
	(void)type;
	(void)walk;
	return remove(path);
}

static int remove_folder(void **state)
{
	(void)state;
	return nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static bytes entry(const char *key, const char *value)
{
	return add_text(add_text((bytes){0}, 1, key), 2, value);
}

/* NULL leaves the key out. */
static bytes external_tensor(const char *location, const char *offset, const char *length)
{
	bytes tensor = tensor_head("w", 1, two);
	if (location != NULL) tensor = add_message(tensor, 13, entry("location", location));
	if (offset != NULL) tensor = add_message(tensor, 13, entry("offset", offset));
	if (length != NULL) tensor = add_message(tensor, 13, entry("length", length));
	return add_int(tensor, 14, 1);
}

static hy_status load(bytes tensor, hy_ir_graph **out_graph)
{
	bytes model = model_of(graph_with(tensor));
	write_file("model/m.onnx", model.at, model.length);
	free(model.at);
	return hy_ir_onnx_load(at("model/m.onnx"), out_graph, &error);
}

static void expect_refused(bytes tensor, hy_status status, const char *says)
{
	hy_ir_graph *graph;
	char wanted[1024];
	EXPECT_STATUS(status, load(tensor, &graph));
	snprintf(wanted, sizeof(wanted), "%s: tensor 'w': %s", at("model/m.onnx"), says);
	assert_string_equal(error.text, wanted);
}

static void expect_loaded(bytes tensor, const float *values)
{
	hy_ir_graph *graph;
	EXPECT_OK(load(tensor, &graph));
	const hy_ir_value *w = hy_ir_graph_value(graph, hy_ir_graph_find(graph, "w"));
	assert_memory_equal(w->data, values, 8);
	assert_int_equal((uintptr_t)w->data % 4, 0);
	hy_ir_graph_destroy(graph);
}

static void data_beside_and_below_the_model_is_used(void **state)
{
	(void)state;
	expect_loaded(external_tensor("w.bin", NULL, NULL), weights);
	expect_loaded(external_tensor("w.bin", "4", "8"), weights + 1);
	expect_loaded(external_tensor("./sub/w.bin", "0", "8"), weights);
}

static void a_misaligned_offset_is_copied_to_its_alignment(void **state)
{
	(void)state;
	char shifted[9] = {0};
	memcpy(shifted + 1, weights, 8);
	write_file("model/shifted.bin", shifted, sizeof(shifted));
	expect_loaded(external_tensor("shifted.bin", "1", "8"), weights);
}

static void ranges_outside_the_file_are_refused(void **state)
{
	(void)state;
	expect_refused(external_tensor("w.bin", "8", NULL), HY_INVALID,
	               "external data 'w.bin' has 12 bytes: 8 at offset 8 are not there");
	expect_refused(external_tensor("w.bin", "18446744073709551615", "8"), HY_INVALID,
	               "external data 'w.bin' has 12 bytes: 8 at offset 18446744073709551615 are not there");
	expect_refused(external_tensor("w.bin", "18446744073709551612", "8"), HY_INVALID,
	               "external data 'w.bin' has 12 bytes: 8 at offset 18446744073709551612 are not there");
	expect_refused(external_tensor("w.bin", "18446744073709551616", "8"), HY_INVALID,
	               "external data: offset '18446744073709551616' is no number");
	expect_refused(external_tensor("w.bin", "-1", "8"), HY_INVALID, "external data: offset '-1' is no number");
	expect_refused(external_tensor("w.bin", "0x8", "8"), HY_INVALID, "external data: offset '0x8' is no number");
	expect_refused(external_tensor("w.bin", "", "8"), HY_INVALID, "external data: offset '' is no number");
	expect_refused(external_tensor("w.bin", "0", "-1"), HY_INVALID, "external data: length '-1' is no number");
	expect_refused(external_tensor("w.bin", "0", "12"), HY_INVALID,
	               "external data: length is 12, but the shape needs 8 bytes");
	expect_refused(external_tensor("w.bin", "0", "0"), HY_INVALID,
	               "external data: length is 0, but the shape needs 8 bytes");
}

static void contradictions_are_refused(void **state)
{
	(void)state;
	expect_refused(external_tensor(NULL, "0", "8"), HY_INVALID, "its external data has no location");
	expect_refused(add_message(external_tensor("w.bin", "0", "8"), 13, entry("offset", "4")), HY_INVALID,
	               "external data: 'offset' is given twice");
	expect_refused(add_data(external_tensor("w.bin", "0", "8"), 9, weights, 8), HY_INVALID,
	               "has data both inside and outside the file");
}

static void locations_that_leave_the_folder_are_refused(void **state)
{
	(void)state;
	static const char leaves[] = "leaves the model's folder: external data must lie beside the model";
	static const char *const locations[] = {"../outside.bin", "sub/../../outside.bin", "..", "sub/..",
	                                        "../model/w.bin"};
	char says[256];
	for (size_t i = 0; i < sizeof(locations) / sizeof(locations[0]); i++) {
		snprintf(says, sizeof(says), "external data '%s' %s", locations[i], leaves);
		expect_refused(external_tensor(locations[i], NULL, NULL), HY_INVALID, says);
	}
	snprintf(says, sizeof(says), "external data '%s' is an absolute path: external data must lie beside the model",
	         "/etc/passwd");
	expect_refused(external_tensor("/etc/passwd", NULL, NULL), HY_INVALID, says);
	expect_refused(external_tensor("", NULL, NULL), HY_INVALID, "external data '' is empty");
	expect_refused(external_tensor("gone.bin", NULL, NULL), HY_NOT_FOUND,
	               "external data 'gone.bin' No such file or directory");
	expect_refused(external_tensor("C:\\w.bin", NULL, NULL), HY_NOT_FOUND,
	               "external data 'C:\\w.bin' No such file or directory");
}

static void links_and_special_files_are_refused(void **state)
{
	(void)state;
	static const char link_says[] = "passes a symbolic link or a file: put the file itself beside the model";
	char says[256];
	assert_int_equal(symlink("../outside.bin", at("model/link.bin")), 0);
	assert_int_equal(symlink("../other", at("model/link")), 0);
	assert_int_equal(symlink("w.bin", at("model/inside.bin")), 0);
	static const char *const links[] = {"link.bin", "link/w.bin", "inside.bin", "w.bin/x"};
	for (size_t i = 0; i < 4; i++) {
		snprintf(says, sizeof(says), "external data '%s' %s", links[i], link_says);
		expect_refused(external_tensor(links[i], NULL, NULL), HY_INVALID, says);
	}
	assert_int_equal(link(at("outside.bin"), at("model/hard.bin")), 0);
	expect_refused(external_tensor("hard.bin", NULL, NULL), HY_INVALID,
	               "external data 'hard.bin' has more than one name (hard link): copy the file beside the model");
	assert_int_equal(mkfifo(at("model/fifo"), 0644), 0);
	expect_refused(external_tensor("fifo", NULL, NULL), HY_INVALID, "external data 'fifo' is not a regular file");
	expect_refused(external_tensor("sub", NULL, NULL), HY_INVALID, "external data 'sub' is not a regular file");
	write_file("model/empty.bin", "", 0);
	expect_refused(external_tensor("empty.bin", NULL, NULL), HY_INVALID, "empty.bin: the file is empty");
}

static void the_stepwise_way_is_as_strict(void **state)
{
	(void)state;
	assert_int_equal(symlink("../outside.bin", at("model/link.bin")), 0);
	assert_int_equal(symlink("../other", at("model/link")), 0);
	assert_int_equal(link(at("outside.bin"), at("model/hard.bin")), 0);
	const int folder = open(at("model"), O_PATH | O_DIRECTORY);
	static const struct {
		const char *location;
		bool opens;
	} rows[] = {
		{"w.bin", true},
		{"sub/w.bin", true},
		{"./sub//w.bin", true},
		{"link.bin", false},
		{"link/w.bin", false},
		{"hard.bin", false},
		{"../outside.bin", false},
		{"/etc/passwd", false},
		{"sub", false},
		{"sub/", false},
		{"", false},
		{"gone/w.bin", false},
		{"w.bin/x", false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const int stepwise = hy_ir__onnx_open_below_stepwise(folder, rows[i].location, &error);
		const int direct = hy_ir__onnx_open_below(folder, rows[i].location, &error);
		assert_int_equal(stepwise >= 0, rows[i].opens);
		assert_int_equal(direct >= 0, rows[i].opens);
		if (stepwise >= 0) close(stepwise);
		if (direct >= 0) close(direct);
	}
	close(folder);
}

static void a_model_in_memory_has_no_external_data(void **state)
{
	(void)state;
	bytes model = model_of(graph_with(external_tensor("w.bin", NULL, NULL)));
	hy_ir_graph *graph;
	EXPECT_STATUS(HY_INVALID, hy_ir_onnx_parse("m", model.at, model.length, &graph, &error));
	assert_string_equal(error.text, "m: tensor 'w': external data 'w.bin' can't be found: the model has no folder");
	free(model.at);
}

static void a_clone_keeps_the_mapping_alive(void **state)
{
	(void)state;
	hy_ir_graph *graph, *clone;
	EXPECT_OK(load(external_tensor("w.bin", "4", NULL), &graph));
	EXPECT_OK(hy_ir_graph_clone(graph, &clone, &error));
	const hy_ir_value *w = hy_ir_graph_value(clone, hy_ir_graph_find(clone, "w"));
	assert_ptr_equal(w->data, hy_ir_graph_value(graph, hy_ir_graph_find(graph, "w"))->data);
	hy_ir_graph_destroy(graph);
	assert_memory_equal(w->data, weights + 1, 8);
	hy_ir_graph_destroy(clone);
}

#define IN_FOLDER(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest cases[] = {
		IN_FOLDER(data_beside_and_below_the_model_is_used),
		IN_FOLDER(a_misaligned_offset_is_copied_to_its_alignment),
		IN_FOLDER(ranges_outside_the_file_are_refused),
		IN_FOLDER(contradictions_are_refused),
		IN_FOLDER(locations_that_leave_the_folder_are_refused),
		IN_FOLDER(links_and_special_files_are_refused),
		IN_FOLDER(the_stepwise_way_is_as_strict),
		IN_FOLDER(a_model_in_memory_has_no_external_data),
		IN_FOLDER(a_clone_keeps_the_mapping_alive),
	};
	return cmocka_run_group_tests_name("ir.onnx_external", cases, NULL, NULL);
}

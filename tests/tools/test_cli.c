#include "program.h"

static void usage_errors_exit_2(void **state)
{
	(void)state;
	program_refuses("$halyard frobnicate", 2, "no command 'frobnicate'");
	program_refuses("$halyard run", 2, "MODEL is missing");
	program_refuses("$halyard run m.onnx --devcie cpu:0", 2, "did you mean --device?");
	program_refuses("$halyard explain $digits/digits.onnx", 2, "--node is missing");
	program_refuses("$halyard run $digits/digits.onnx --dim M=2", 2, "no symbolic dimension 'M'; the model has: N");
	program_refuses("$halyard run $digits/digits.onnx --dim N=0", 2, "write NAME=N");
	program_refuses("$halyard bench $digits/digits.onnx --seconds 0", 2, "above 0");
	program_refuses("$halyard zoo resnet51", 2, "resnet51");
	program_refuses("$halyard zoo resnet50 --size 33", 2, "multiple");
	program_refuses("$halyard zoo squeezenet --size 32 -o no/such/folder.onnx", 2, "no/such/folder.onnx");
}

static void an_unknown_layer_exits_3(void **state)
{
	(void)state;
	program_refuses("HALYARD_LAYERS=bogus $halyard devices", 3, "bogus");
}

static void a_device_that_is_not_there_exits_5(void **state)
{
	(void)state;
	program_refuses("$halyard run $digits/digits.onnx --device nosuch:0", 5, "no device 'nosuch:0'");
}

static void a_model_that_cannot_be_read_exits_6(void **state)
{
	(void)state;
	program_refuses("$halyard plan nosuch.onnx", 6, "nosuch.onnx");
	program_refuses("$halyard plan .", 6, "halyard: .");
	program_refuses("head -c 20000 $digits/digits.onnx >cut.onnx; $halyard plan cut.onnx", 6, "cut.onnx");
	program_refuses("echo hello >text.onnx; $halyard plan text.onnx", 6, "text.onnx");
	program_refuses(": >empty.onnx; $halyard plan empty.onnx", 6, "empty.onnx");
}

static void an_unknown_operator_exits_6_and_is_named(void **state)
{
	(void)state;
	program_refuses("sed s/Softmax/Softmix/ $digits/digits.onnx >op.onnx; $halyard plan op.onnx", 6, "Softmix");
}

static void inputs_that_do_not_fit_exit_2(void **state)
{
	(void)state;
	program_refuses("$halyard run $digits/digits.onnx -i image=nosuch.npy", 2, "nosuch.npy");
	program_refuses("$halyard run $digits/digits.onnx -i imag=x.npy", 2, "no input 'imag'; the model has: image");
	program_refuses("$halyard run $digits/digits.onnx -i image=a.npy -i image=b.npy", 2, "a.npy");
	program_refuses("echo text >x.txt; $halyard run $digits/digits.onnx -i image=x.txt", 2, "neither .npy");
	program_refuses("head -c 500 $digits/images.npy >cut.npy; $halyard run $digits/digits.onnx -i image=cut.npy", 2,
	                "cut.npy: 372 bytes of elements");
	program_refuses("sed s/f4/i4/ $digits/images.npy >i.npy; $halyard run $digits/digits.onnx -i image=i.npy", 2,
	                "i.npy is i32, but input 'image' is f32");
	program_refuses("sed 's/100, 1, 8, 8/100, 8, 1, 8/' $digits/images.npy >s.npy;"
	                "$halyard run $digits/digits.onnx -i image=s.npy",
	                2, "s.npy is f32[100,8,1,8], but input 'image' is f32[100,1,8,8]");
	program_refuses("printf 'P5 9 8 255\\n%072d' 0 >i.pgm; $halyard run $digits/digits.onnx -i image=i.pgm", 2,
	                "i.pgm is f32[1,1,8,9]");
	program_refuses("$halyard run $digits/digits.onnx --each", 2, "--each: needs an --input file");
}

static void what_no_device_can_run_exits_6(void **state)
{
	(void)state;
	program_refuses("$halyard run $digits/digits.onnx --device template:0", 6, "template:0");
}

static void what_needs_more_memory_than_there_is_exits_7(void **state)
{
	(void)state;
	program_refuses("$halyard run $digits/digits.onnx -d cpu:0 --requests 2147483647", 7, "no memory");
}

static void digits_are_recognised(void **state)
{
	(void)state;
	program_answers("$halyard run $digits/digits.onnx -d cpu:0 --each -i image=$digits/images.npy "
	                "--labels $digits/labels.txt --check");
	assert_non_null(strstr(program_out, "run      100 requests"));
	assert_non_null(strstr(program_out, " of 100 right"));
	assert_non_null(strstr(program_out, ": ok"));
}

static void a_batch_follows_its_input_file(void **state)
{
	(void)state;
	program_answers(
		"$halyard run $digits/digits.onnx -d cpu:0 -i image=$digits/images.npy --output-dir got --check");
	assert_non_null(strstr(program_out, "output   probability f32[100,10]"));
	assert_non_null(strstr(program_out, "-> got/probability.npy"));
	program_answers(
		"$halyard run $digits/digits.onnx -d cpu:0 --each -i image=$digits/images.npy --output-dir each "
		"--batch 20 && cmp -n 128 got/probability.npy each/probability.npy");
}

static void requests_have_inputs_of_their_own(void **state)
{
	(void)state;
	program_answers("$halyard run $digits/digits.onnx -d cpu:0 --requests 3 --check --output-dir r");
	assert_non_null(strstr(program_out, "input    image f32[3,1,8,8]  <- random"));
	assert_non_null(strstr(program_out, "output   probability f32[3,10]"));
	assert_non_null(strstr(program_out, ": ok"));
	program_refuses("$halyard run $digits/digits.onnx --requests 0", 2, "--requests: must be 1");
}

static void the_same_seed_gives_the_same_outputs(void **state)
{
	(void)state;
	program_answers("$halyard run $digits/digits.onnx -d cpu:0 --seed 7 --output-dir a;"
	                "$halyard run $digits/digits.onnx -d cpu:0 --seed 7 --output-dir b;"
	                "$halyard run $digits/digits.onnx -d cpu:0 --seed 8 --output-dir c;"
	                "cmp a/probability.npy b/probability.npy && ! cmp -s a/probability.npy c/probability.npy");
}

static void a_check_that_fails_exits_1(void **state)
{
	(void)state;
	assert_int_equal(program_run("$halyard run $digits/digits.onnx -d cpu:0 --check --tolerance -1"), 1);
	assert_non_null(strstr(program_out, "DIFFERENT"));
	assert_non_null(strstr(program_err, "output 'probability' differs"));
}

static void labels_that_do_not_fit_exit_2_with_their_line(void **state)
{
	(void)state;
	program_refuses("head -n 7 $digits/labels.txt >l.txt; $halyard run $digits/digits.onnx -d cpu:0 --each "
	                "-i image=$digits/images.npy --labels l.txt",
	                2, "l.txt:8: wants one number of 0..9 a line, 100 lines in all");
}

static void an_image_file_is_an_input(void **state)
{
	(void)state;
	program_answers("echo P2 8 8 16 >i.pgm; for i in $(seq 64); do echo $((i % 17)) >>i.pgm; done;"
	                "$halyard run $digits/digits.onnx -d cpu:0 -i i.pgm --image-scale 0.0627 --check");
	assert_non_null(strstr(program_out, "input    image f32[1,1,8,8]  <- i.pgm"));
}

static void answers_go_to_standard_output_alone(void **state)
{
	(void)state;
	program_answers("$halyard devices --quiet; $halyard topology; $halyard version");
	assert_string_equal(program_err, "");
}

static void a_full_disk_is_noticed(void **state)
{
	(void)state;
	assert_int_equal(program_run("$halyard help --man >/dev/full"), 1);
	assert_non_null(strstr(program_err, "is the disk full?"));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(usage_errors_exit_2),
		CASE(an_unknown_layer_exits_3),
		CASE(a_device_that_is_not_there_exits_5),
		CASE(a_model_that_cannot_be_read_exits_6),
		CASE(an_unknown_operator_exits_6_and_is_named),
		CASE(inputs_that_do_not_fit_exit_2),
		CASE(what_no_device_can_run_exits_6),
		CASE(what_needs_more_memory_than_there_is_exits_7),
		CASE(digits_are_recognised),
		CASE(a_batch_follows_its_input_file),
		CASE(requests_have_inputs_of_their_own),
		CASE(the_same_seed_gives_the_same_outputs),
		CASE(a_check_that_fails_exits_1),
		CASE(labels_that_do_not_fit_exit_2_with_their_line),
		CASE(an_image_file_is_an_input),
		CASE(answers_go_to_standard_output_alone),
		CASE(a_full_disk_is_noticed),
	};
	return cmocka_run_group_tests_name("tools.cli", cases, program_setup, program_teardown);
}

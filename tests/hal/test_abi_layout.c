/* IF THIS BREAKS, BUMP THE ABI: plugins that exist were compiled with these sizes and offsets. Fields are only ever
 * appended; then add a line, and change the size in the struct's own line. */
#include "test.h"

#include <halyard/plugin.h>

#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type)
#define AT(type, field, bytes) _Static_assert(offsetof(type, field) == (bytes), #type "." #field)

SIZE(hy_graph, 84);
AT(hy_graph, magic, 0);
AT(hy_graph, total_bytes, 4);
AT(hy_graph, subgraphs, 8);
AT(hy_graph, subgraph_count, 12);
AT(hy_graph, subgraph_stride, 16);
AT(hy_graph, tensors, 20);
AT(hy_graph, tensor_count, 24);
AT(hy_graph, tensor_stride, 28);
AT(hy_graph, nodes, 32);
AT(hy_graph, node_count, 36);
AT(hy_graph, node_stride, 40);
AT(hy_graph, attrs, 44);
AT(hy_graph, attr_count, 48);
AT(hy_graph, attr_stride, 52);
AT(hy_graph, indices, 56);
AT(hy_graph, index_count, 60);
AT(hy_graph, strings, 64);
AT(hy_graph, string_bytes, 68);
AT(hy_graph, data, 72);
AT(hy_graph, data_bytes, 76);
AT(hy_graph, constant_count, 80);

SIZE(hy_graph_subgraph, 28);
AT(hy_graph_subgraph, name, 0);
AT(hy_graph_subgraph, first_node, 4);
AT(hy_graph_subgraph, node_count, 8);
AT(hy_graph_subgraph, inputs, 12);
AT(hy_graph_subgraph, input_count, 16);
AT(hy_graph_subgraph, outputs, 20);
AT(hy_graph_subgraph, output_count, 24);

SIZE(hy_graph_tensor, 96);
AT(hy_graph_tensor, name, 0);
AT(hy_graph_tensor, dtype, 4);
AT(hy_graph_tensor, rank, 8);
AT(hy_graph_tensor, flags, 12);
AT(hy_graph_tensor, slot, 16);
AT(hy_graph_tensor, data, 20);
AT(hy_graph_tensor, length, 24);
AT(hy_graph_tensor, dim, 32);

SIZE(hy_graph_node, 48);
AT(hy_graph_node, domain, 0);
AT(hy_graph_node, op, 4);
AT(hy_graph_node, version, 8);
AT(hy_graph_node, name, 12);
AT(hy_graph_node, inputs, 16);
AT(hy_graph_node, input_count, 20);
AT(hy_graph_node, outputs, 24);
AT(hy_graph_node, output_count, 28);
AT(hy_graph_node, attrs, 32);
AT(hy_graph_node, attr_count, 36);
AT(hy_graph_node, body, 40);
AT(hy_graph_node, reserved, 44);

SIZE(hy_graph_attr, 16);
AT(hy_graph_attr, name, 0);
AT(hy_graph_attr, kind, 4);
AT(hy_graph_attr, count, 8);
AT(hy_graph_attr, value, 12);

SIZE(hy_constant, 16);
AT(hy_constant, data, 0);
AT(hy_constant, length, 8);

SIZE(hy_done, 48);
AT(hy_done, size, 0);
AT(hy_done, status, 4);
AT(hy_done, scope, 8);
AT(hy_done, native, 12);
AT(hy_done, begin_ns, 16);
AT(hy_done, end_ns, 24);
AT(hy_done, text, 32);
AT(hy_done, text_length, 40);
AT(hy_done, reserved, 44);

SIZE(hy_host, 56);
AT(hy_host, size, 0);
AT(hy_host, abi_minor, 4);
AT(hy_host, ctx, 8);
AT(hy_host, log_level, 16);
AT(hy_host, reserved, 20);
AT(hy_host, log, 24);
AT(hy_host, error, 32);
AT(hy_host, complete, 40);
AT(hy_host, now_ns, 48);

SIZE(hy_device_info, 360);
AT(hy_device_info, size, 0);
AT(hy_device_info, kind, 4);
AT(hy_device_info, flags, 8);
AT(hy_device_info, heap_count, 12);
AT(hy_device_info, pci_vendor, 16);
AT(hy_device_info, pci_device, 20);
AT(hy_device_info, numa_node, 24);
AT(hy_device_info, binding_align, 28);
AT(hy_device_info, uuid, 32);
AT(hy_device_info, pci_address, 48);
AT(hy_device_info, id, 64);
AT(hy_device_info, name, 128);
AT(hy_device_info, arch, 224);
AT(hy_device_info, driver, 256);
AT(hy_device_info, memory_bytes, 320);
AT(hy_device_info, flops_f32, 328);
AT(hy_device_info, flops_f16, 336);
AT(hy_device_info, ops_i8, 344);
AT(hy_device_info, memory_bytes_per_s, 352);

SIZE(hy_heap_info, 40);
AT(hy_heap_info, size, 0);
AT(hy_heap_info, flags, 4);
AT(hy_heap_info, align, 8);
AT(hy_heap_info, total_bytes, 16);
AT(hy_heap_info, free_bytes, 24);
AT(hy_heap_info, max_buffer_bytes, 32);

SIZE(hy_option, 16);
AT(hy_option, key, 0);
AT(hy_option, value, 8);

SIZE(hy_verdict, 4);
AT(hy_verdict, answer, 0);
AT(hy_verdict, reason, 2);

SIZE(hy_exe_info, 32);
AT(hy_exe_info, size, 0);
AT(hy_exe_info, flags, 4);
AT(hy_exe_info, workspace_bytes, 8);
AT(hy_exe_info, constant_bytes, 16);
AT(hy_exe_info, launches, 24);
AT(hy_exe_info, reference_launches, 28);

SIZE(hy_ref, 24);
AT(hy_ref, buffer, 0);
AT(hy_ref, offset, 8);
AT(hy_ref, length, 16);

SIZE(hy_command, 104);
AT(hy_command, kind, 0);
AT(hy_command, binding_count, 4);
AT(hy_command, target, 8);
AT(hy_command, source, 32);
AT(hy_command, pattern, 56);
AT(hy_command, exe, 64);
AT(hy_command, bindings, 72);
AT(hy_command, workspace, 80);

SIZE(hy_batch, 24);
AT(hy_batch, size, 0);
AT(hy_batch, command_count, 4);
AT(hy_batch, command_stride, 8);
AT(hy_batch, flags, 12);
AT(hy_batch, commands, 16);

SIZE(hy_plugin, 168);
AT(hy_plugin, size, 0);
AT(hy_plugin, abi_minor, 4);
AT(hy_plugin, name, 8);
AT(hy_plugin, version, 16);
AT(hy_plugin, flags, 24);
AT(hy_plugin, reserved, 28);
AT(hy_plugin, ctx, 32);
AT(hy_plugin, shutdown, 40);
AT(hy_plugin, device_count, 48);
AT(hy_plugin, device_info, 56);
AT(hy_plugin, device_open, 64);
AT(hy_plugin, device_close, 72);
AT(hy_plugin, heap_info, 80);
AT(hy_plugin, buffer_alloc, 88);
AT(hy_plugin, buffer_free, 96);
AT(hy_plugin, queue_open, 104);
AT(hy_plugin, queue_close, 112);
AT(hy_plugin, submit, 120);
AT(hy_plugin, query, 128);
AT(hy_plugin, compile, 136);
AT(hy_plugin, exe_info, 144);
AT(hy_plugin, exe_free, 152);
AT(hy_plugin, ext, 160);

SIZE(hy_step, 96);
AT(hy_step, size, 0);
AT(hy_step, flags, 4);
AT(hy_step, node, 8);
AT(hy_step, reserved, 12);
AT(hy_step, implementation, 16);
AT(hy_step, calls, 80);
AT(hy_step, total_ns, 88);

SIZE(hy_ext_steps, 32);
AT(hy_ext_steps, size, 0);
AT(hy_ext_steps, reserved, 4);
AT(hy_ext_steps, count, 8);
AT(hy_ext_steps, step, 16);
AT(hy_ext_steps, profile, 24);

#undef SIZE
#undef AT

static void numbers_that_cross_the_border_keep_their_values(void **state)
{
	(void)state;
	assert_int_equal(HY_ABI_MAJOR, 1);
	assert_string_equal(HY_PLUGIN_ENTRY, "hy_plugin_entry_v1");
	assert_int_equal(HY_GRAPH_MAGIC, 0x31475948);
	assert_int_equal(HY_INTERNAL, 10);
	assert_int_equal(HY_SCOPE_PROCESS, 3);
	assert_int_equal(HY_LOG_ERROR, 3);
	assert_int_equal(HY_KIND_OTHER, 4);
	assert_int_equal(HY_DEVICE_SIMULATED, 8);
	assert_int_equal(HY_HEAP_PINNED, 8);
	assert_int_equal(HY_REASON_DISABLED, 9);
	assert_int_equal(HY_EXE_BORROWS_CONSTANTS, 1);
	assert_int_equal(HY_COMMAND_EXEC, 3);
	assert_int_equal(HY_QUEUE_COPY, 2);
	assert_int_equal(HY_PLUGIN_UNLOADABLE, 1);
	assert_int_equal(HY_STEP_REORDER, 2);
	assert_int_equal(HY_ATTR_STRINGS, 8);
	assert_int_equal(HY_DTYPE_BF16, 16);
}

static void put_writes_no_further_than_the_smaller_side(void **state)
{
	(void)state;
	const hy_heap_info mine = {.flags = 7, .align = 64, .total_bytes = 1000};
	unsigned char room[sizeof(mine)];
	memset(room, 0xa5, sizeof(room));
	const uint32_t old_size = offsetof(hy_heap_info, total_bytes);
	memcpy(room, &old_size, sizeof(old_size));
	HY_PUT(room, &mine);
	uint32_t filled;
	memcpy(&filled, room, sizeof(filled));
	assert_int_equal(filled, old_size);
	for (size_t i = old_size; i < sizeof(room); i++)
		assert_int_equal(room[i], 0xa5);
	hy_heap_info whole = {.size = sizeof(whole)};
	HY_PUT(&whole, &mine);
	assert_int_equal(whole.size, sizeof(whole));
	assert_int_equal(whole.total_bytes, 1000);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(numbers_that_cross_the_border_keep_their_values),
		CASE(put_writes_no_further_than_the_smaller_side),
	};
	return cmocka_run_group_tests_name("hal.abi_layout", cases, NULL, NULL);
}

/* Transformers of the zoo. */
#include "zoo_net.h"

static uint32_t mlp(zoo_net *net, const char *name, uint32_t x, int64_t width)
{
	const uint32_t wide = zoo_linear(net, zoo_join("%s.wide", name).text, x, width, 4 * width);
	const uint32_t bent = zoo_gelu(net, zoo_join("%s.gelu", name).text, wide);
	return zoo_linear(net, zoo_join("%s.narrow", name).text, bent, 4 * width, width);
}

/* ---- BERT-tiny: normalisation after each sum ---- */

/* 0 where a token counts, -10000 where it is padding: [N, tokens] to [N, 1, 1, tokens]. */
static uint32_t attention_mask(zoo_net *net, int64_t tokens)
{
	const uint32_t input = zoo_input(net, "attention_mask", HY_DTYPE_I64, 1, &tokens);
	const uint32_t wide = zoo_binary(net, "Unsqueeze", "mask.unsqueeze", input,
	                                 zoo_ints(net, "mask.axes", 2, (const int64_t[]){1, 2}));
	const hy_ir_attr to = hy_ir_attr_int("to", HY_DTYPE_F32);
	const uint32_t real = zoo_node(net, "Cast", "mask.cast", 1, &wide, 1, &to);
	const uint32_t padding = zoo_binary(net, "Sub", "mask.sub", zoo_scalar(net, "mask.one", 1), real);
	return zoo_binary(net, "Mul", "mask.mul", padding, zoo_scalar(net, "mask.low", -10000));
}

static uint32_t embedding(zoo_net *net, const char *name, uint32_t ids, int64_t rows, int64_t width)
{
	const uint32_t table = zoo_normal(net, zoo_join("%s.weight", name).text, 2, (const int64_t[]){rows, width}, 0,
	                                  0.5);
	return zoo_binary(net, "Gather", name, table, ids);
}

void zoo_bert_tiny(zoo_net *net, int64_t tokens)
{
	enum { WIDTH = 128, HEADS = 2, LAYERS = 2, WORDS = 30522 };
	const uint32_t ids = zoo_input(net, "input_ids", HY_DTYPE_I64, 1, &tokens);
	const uint32_t segments = zoo_input(net, "token_type_ids", HY_DTYPE_I64, 1, &tokens);
	const uint32_t mask = attention_mask(net, tokens);
	const uint32_t places = zoo_normal(net, "place.weight", 3, (const int64_t[]){1, tokens, WIDTH}, 0, 0.5);
	uint32_t x = zoo_binary(net, "Add", "embedding.add1", embedding(net, "word", ids, WORDS, WIDTH),
	                        embedding(net, "segment", segments, 2, WIDTH));
	x = zoo_layer_norm(net, "embedding.norm", zoo_binary(net, "Add", "embedding.add2", x, places), WIDTH);
	for (int layer = 1; layer <= LAYERS; layer++) {
		const zoo_name a = zoo_join("layer%d.attention", layer), m = zoo_join("layer%d.mlp", layer);
		const uint32_t attended = zoo_attention(net, a.text, x, mask, tokens, WIDTH, HEADS);
		x = zoo_layer_norm(net, zoo_join("%s.norm", a.text).text,
		                   zoo_binary(net, "Add", zoo_join("%s.sum", a.text).text, attended, x), WIDTH);
		x = zoo_layer_norm(
			net, zoo_join("%s.norm", m.text).text,
			zoo_binary(net, "Add", zoo_join("%s.sum", m.text).text, mlp(net, m.text, x, WIDTH), x), WIDTH);
	}
	zoo_output(net, "last_hidden_state", x);
	const uint32_t zero = zoo_ints(net, "first.index", 1, (const int64_t[]){0});
	const hy_ir_attr axis = hy_ir_attr_int("axis", 1);
	const uint32_t first = zoo_node(net, "Gather", "first", 2, (const uint32_t[]){x, zero}, 1, &axis);
	const uint32_t flat = zoo_reshape(net, "first.flat", first, 2, (const int64_t[]){0, WIDTH});
	zoo_output(net, "pooler_output",
	           zoo_unary(net, "Tanh", "pooler.tanh", zoo_dense(net, "pooler", flat, WIDTH, WIDTH, 0.7)));
}

/* ---- ViT-tiny: normalisation before each part ---- */

/* One learned token in front of every sequence; its batch follows the image's. */
static uint32_t class_token(zoo_net *net, uint32_t patches, int64_t width)
{
	const uint32_t shape = zoo_unary(net, "Shape", "token.batch_shape", patches);
	const uint32_t zero = zoo_ints(net, "token.zero", 1, (const int64_t[]){0});
	const uint32_t parts[] = {zoo_binary(net, "Gather", "token.batch", shape, zero),
	                          zoo_ints(net, "token.rest", 2, (const int64_t[]){1, width})};
	const uint32_t token = zoo_normal(net, "token.weight", 3, (const int64_t[]){1, 1, width}, 0, 0.5);
	return zoo_binary(net, "Expand", "token", token, zoo_concat(net, "token.shape", 0, 2, parts));
}

void zoo_vit_tiny(zoo_net *net, int64_t size)
{
	enum { WIDTH = 192, HEADS = 3, LAYERS = 12, PATCH = 16 };
	const int64_t patches = (size / PATCH) * (size / PATCH), tokens = patches + 1;
	uint32_t x = zoo_input(net, "image", HY_DTYPE_F32, 3, (const int64_t[]){3, size, size});
	x = zoo_conv(net, "patch", x, (zoo_conv_options){.in = 3, .out = WIDTH, .kernel = PATCH, .stride = PATCH});
	x = zoo_reshape(net, "patch.flat", x, 3, (const int64_t[]){0, WIDTH, patches});
	x = zoo_transpose(net, "patch.turned", x, 3, (const int64_t[]){0, 2, 1});
	const uint32_t sequence[] = {class_token(net, x, WIDTH), x};
	x = zoo_concat(net, "sequence", 1, 2, sequence);
	x = zoo_binary(net, "Add", "place", x,
	               zoo_normal(net, "place.weight", 3, (const int64_t[]){1, tokens, WIDTH}, 0, 0.5));
	for (int layer = 1; layer <= LAYERS; layer++) {
		const zoo_name a = zoo_join("layer%d.attention", layer), m = zoo_join("layer%d.mlp", layer);
		uint32_t y = zoo_layer_norm(net, zoo_join("%s.norm", a.text).text, x, WIDTH);
		y = zoo_attention(net, a.text, y, HY_IR_NONE, tokens, WIDTH, HEADS);
		x = zoo_binary(net, "Add", zoo_join("%s.sum", a.text).text, x, y);
		y = zoo_layer_norm(net, zoo_join("%s.norm", m.text).text, x, WIDTH);
		x = zoo_binary(net, "Add", zoo_join("%s.sum", m.text).text, x, mlp(net, m.text, y, WIDTH));
	}
	x = zoo_layer_norm(net, "norm", x, WIDTH);
	const hy_ir_attr axis = hy_ir_attr_int("axis", 1);
	const uint32_t zero = zoo_ints(net, "first.index", 1, (const int64_t[]){0});
	x = zoo_node(net, "Gather", "first", 2, (const uint32_t[]){x, zero}, 1, &axis);
	x = zoo_reshape(net, "first.flat", x, 2, (const int64_t[]){0, WIDTH});
	zoo_output(net, "probability", zoo_softmax(net, "softmax", zoo_dense(net, "dense", x, WIDTH, 1000, 1)));
}

/* Numbers with units: one table says what may follow the digits. */
#include "type.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#define KI 1024.0
#define COUNT_OF(array) (uint32_t)(sizeof(array) / sizeof((array)[0]))

static const hy_yaml__unit plain[] = {{"", 1}};

static const hy_yaml__unit amounts[] = {
	{"", 1},         {"k", 1e3},          {"M", 1e6},
	{"G", 1e9},      {"T", 1e12},         {"Ki", KI},
	{"Mi", KI *KI},  {"Gi", KI *KI *KI},  {"Ti", KI *KI *KI *KI},
	{"B", 1},        {"kB", 1e3},         {"MB", 1e6},
	{"GB", 1e9},     {"TB", 1e12},        {"KiB", KI},
	{"MiB", KI *KI}, {"GiB", KI *KI *KI}, {"TiB", KI *KI *KI *KI},
};

static const hy_yaml__unit rates[] = {
	{"B/s", 1},          {"kB/s", 1e3},         {"MB/s", 1e6},
	{"GB/s", 1e9},       {"TB/s", 1e12},        {"KiB/s", KI},
	{"MiB/s", KI *KI},   {"GiB/s", KI *KI *KI}, {"TiB/s", KI *KI *KI *KI},
	{"Mbit/s", 1e6 / 8}, {"Gbit/s", 1e9 / 8},   {"Tbit/s", 1e12 / 8},
};

static const hy_yaml__unit operations[] = {
	{"", 1},          {"M", 1e6},        {"G", 1e9},        {"T", 1e12},    {"P", 1e15},     {"MFLOP/s", 1e6},
	{"GFLOP/s", 1e9}, {"TFLOP/s", 1e12}, {"PFLOP/s", 1e15}, {"GOP/s", 1e9}, {"TOP/s", 1e12}, {"POP/s", 1e15},
};

static const hy_yaml__unit times[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};

static const hy_yaml__type types[] = {
	[HY_YAML_COUNT] = {"whole number: write 8", "", COUNT_OF(plain), plain},
	[HY_YAML_NUMBER] = {"number: write 0.5 or 20", "", COUNT_OF(plain), plain},
	[HY_YAML_AMOUNT] = {"amount of bytes: write 4096, 80Gi or 25G", " bytes", COUNT_OF(amounts), amounts},
	[HY_YAML_RATE] = {"rate: write 370GB/s, 22GiB/s or 100Gbit/s", " bytes/s", COUNT_OF(rates), rates},
	[HY_YAML_OPS] = {"rate of operations: write 989T, 60TFLOP/s or 1e12", "/s", COUNT_OF(operations), operations},
	[HY_YAML_TIME] = {"time: write 500ns, 2us, 1.5ms or 1s", " ns", COUNT_OF(times), times},
};

const hy_yaml__type *hy_yaml__type_of(hy_yaml_type type)
{
	return type < COUNT_OF(types) && types[type].form != NULL ? &types[type] : NULL;
}

bool hy_yaml__type_parse(const hy_yaml__type *type, const char *text, double *out_number)
{
	double value = 0, exponent = 0;
	uint32_t digits = 0, places = 0;
	for (; isdigit((unsigned char)*text); text++, digits++)
		value = value * 10 + (*text - '0');
	if (digits == 0) return false;
	if (*text == '.') {
		for (text++; isdigit((unsigned char)*text); text++, digits++, places++)
			value = value * 10 + (*text - '0');
		if (places == 0) return false;
	}
	if (*text == 'e') {
		if (!isdigit((unsigned char)*++text)) return false;
		for (; isdigit((unsigned char)*text) && exponent < 100; text++)
			exponent = exponent * 10 + (*text - '0');
	}
	if (digits > 18 || exponent > 30) return false;
	for (uint32_t i = 0; i < type->unit_count; i++) {
		if (strcmp(text, type->units[i].name) != 0) continue;
		*out_number = value / pow(10, places) * pow(10, exponent) * type->units[i].factor;
		return true;
	}
	return false;
}

/* Topologies of NCCL and RCCL: <system> of <cpu> (NUMA nodes) of <pci> (bridges and cards) of <gpu> and <nic>, with
 * <nvlink>, <xgmi> and <c2c> under the GPUs. Bandwidths of PCIe are what those libraries assume. */
#include "cluster_import.h"

#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH 16u
#define CARDS 256u
#define NUMAS 64u
#define LINKS 4096u
#define NONE HY_SCHED_CLUSTER_NONE

typedef struct bridge {
	char bus[24];
	double bytes_per_s;
} bridge;

typedef struct card {
	bridge ways[DEPTH]; /* from the CPU down to the card itself */
	uint32_t way_count, numa, number;
	char model[32];
} card;

/* A link that a card names: to another card, or through a switch to every card on such. */
typedef struct bond {
	uint32_t card, count, peer; /* peer: the card it leads to, NONE for a switch */
	char target[24], class_name[4];
	double bytes_per_s; /* 0: of its class */
} bond;

typedef struct reader {
	XML_Parser parser;
	const char *name;
	hy_error *error;
	hy_status status;
	uint32_t depth, numa_count, card_count, bond_count, way_count;
	uint32_t way_depths[DEPTH]; /* of the elements that the ways are */
	bridge ways[DEPTH];
	uint32_t numa_ids[NUMAS], numa, gpu; /* the ones that are open, or NONE */
	double net_bytes_per_s[NUMAS];
	card cards[CARDS];
	bond bonds[LINKS];
} reader;

static void fault(reader *r, const char *text)
{
	if (r->status != HY_OK) return;
	r->status = hy_error_set(r->error, HY_INVALID, "%s:%lu:%lu: %s", r->name,
	                         (unsigned long)XML_GetCurrentLineNumber(r->parser),
	                         (unsigned long)XML_GetCurrentColumnNumber(r->parser) + 1, text);
	XML_StopParser(r->parser, XML_FALSE);
}

static const char *attribute(const char **attributes, const char *name)
{
	for (; attributes[0] != NULL; attributes += 2)
		if (strcmp(attributes[0], name) == 0) return attributes[1];
	return "";
}

static uint32_t number(const char **attributes, const char *name, uint32_t fallback)
{
	const char *text = attribute(attributes, name);
	char *end;
	const unsigned long value = strtoul(text, &end, 0);
	return end == text || text[0] == '-' || value > UINT32_MAX - 1 ? fallback : (uint32_t)value;
}

/* "16.0 GT/s PCIe" times lanes: 3 GB/s for generation 1 x16, 12 for 3, twice that for each one more. */
static double pcie(const char **attributes)
{
	const double speed = strtod(attribute(attributes, "link_speed"), NULL);
	const uint32_t width = number(attributes, "link_width", 0);
	if (!(speed > 0 && speed < 1000) || width == 0 || width > 64) return 0;
	return speed * width / 8 * (speed <= 5 ? 0.6 : 0.75) * 1e9;
}

static void open_cpu(reader *r, const char **attributes)
{
	const uint32_t id = number(attributes, "numaid", r->numa_count);
	for (r->numa = 0; r->numa < r->numa_count; r->numa++)
		if (r->numa_ids[r->numa] == id) return;
	if (r->numa_count == NUMAS)
		fault(r, "more than 64 cpu elements");
	else
		r->numa_ids[r->numa_count++] = id;
}

static void open_pci(reader *r, const char **attributes)
{
	if (r->way_count == DEPTH) {
		fault(r, "more than 16 pci elements in each other");
		return;
	}
	bridge *way = &r->ways[r->way_count];
	snprintf(way->bus, sizeof(way->bus), "%s", attribute(attributes, "busid"));
	way->bytes_per_s = pcie(attributes);
	r->way_depths[r->way_count++] = r->depth;
}

static void open_gpu(reader *r, const char **attributes)
{
	if (r->numa == NONE || r->way_count == 0) {
		fault(r, "a gpu stands in a pci element of a cpu element");
		return;
	}
	if (r->card_count == CARDS) {
		fault(r, "more than 256 gpus");
		return;
	}
	card *c = &r->cards[r->card_count];
	memcpy(c->ways, r->ways, sizeof(c->ways));
	c->way_count = r->way_count;
	c->numa = r->numa;
	c->number = number(attributes, "dev", r->card_count);
	const char *gcn = attribute(attributes, "gcn"), *sm = attribute(attributes, "sm");
	snprintf(c->model, sizeof(c->model), "%s%s", gcn[0] != '\0' ? "gcn" : "sm", gcn[0] != '\0' ? gcn : sm);
	for (uint32_t i = 0; i < r->card_count; i++)
		if (r->cards[i].number == c->number) fault(r, "two gpus have the same dev");
	r->gpu = r->card_count++;
}

static void open_bond(reader *r, const char *element, const char **attributes)
{
	static const struct {
		const char *element, *class_name;
	} kinds[] = {{"nvlink", "NV"}, {"xgmi", "XG"}, {"c2c", "C2C"}};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].element, element) != 0 || r->gpu == NONE) continue;
		if (r->bond_count == LINKS) {
			fault(r, "more than 4096 links");
			return;
		}
		bond *b = &r->bonds[r->bond_count++];
		*b = (bond){.card = r->gpu, .count = number(attributes, "count", 1)};
		b->bytes_per_s = (double)number(attributes, "bw", 0) * 1e6 * b->count;
		snprintf(b->target, sizeof(b->target), "%s", attribute(attributes, "target"));
		snprintf(b->class_name, sizeof(b->class_name), "%s", kinds[i].class_name);
	}
}

static void XMLCALL on_start(void *user, const char *element, const char **attributes)
{
	reader *r = user;
	if (r->status != HY_OK) return;
	r->depth++;
	if (r->depth > 2 * DEPTH)
		fault(r, "nested deeper than 32 levels");
	else if (r->depth == 1 && strcmp(element, "system") != 0)
		fault(r, "the first element is system");
	else if (strcmp(element, "cpu") == 0)
		open_cpu(r, attributes);
	else if (strcmp(element, "pci") == 0)
		open_pci(r, attributes);
	else if (strcmp(element, "gpu") == 0)
		open_gpu(r, attributes);
	else if (strcmp(element, "net") == 0 && r->numa != NONE)
		r->net_bytes_per_s[r->numa] += (double)number(attributes, "speed", 0) * 1e6 / 8;
	else
		open_bond(r, element, attributes);
}

static void XMLCALL on_end(void *user, const char *element)
{
	reader *r = user;
	if (r->way_count > 0 && r->way_depths[r->way_count - 1] == r->depth) r->way_count--;
	if (strcmp(element, "gpu") == 0) r->gpu = NONE;
	if (strcmp(element, "cpu") == 0) r->numa = NONE;
	r->depth--;
}

/* Entities have no use here, and are how small files become large. */
static void XMLCALL on_doctype(void *user, const char *name, const char *system_id, const char *public_id, int internal)
{
	(void)name, (void)system_id, (void)public_id, (void)internal;
	fault(user, "a DOCTYPE is not allowed here");
}

/* ---- to a cluster ---- */

static uint32_t type_of(hy_sched__cluster *cluster, const char *model)
{
	for (uint32_t i = 0; i < cluster->shown.type_count; i++)
		if (strcmp(cluster->types[i].model, model) == 0) return i;
	const hy_sched_cluster_type type = {
		.name = hy_sched__cluster_text(cluster, "%s", model),
		.plugin = hy_sched__cluster_text(cluster, "gpu"),
		.vendor = "",
		.model = hy_sched__cluster_text(cluster, "%s", model),
		.kind = HY_KIND_GPU,
		.launch_ns = {5000, HY_SCHED_DEFAULT},
	};
	return cluster->no_memory ? NONE : hy_sched__cluster_add_type(cluster, &type);
}

static double slowest(const card *c, uint32_t from)
{
	double least = 0;
	for (uint32_t i = from; i < c->way_count; i++)
		if (c->ways[i].bytes_per_s > 0 && (least == 0 || c->ways[i].bytes_per_s < least))
			least = c->ways[i].bytes_per_s;
	return least;
}

/* How many bridges two cards have in common, from the CPU down. */
static uint32_t common(const card *a, const card *b)
{
	uint32_t count = 0;
	if (a->numa != b->numa) return 0;
	while (count + 1 < a->way_count && count + 1 < b->way_count &&
	       strcmp(a->ways[count].bus, b->ways[count].bus) == 0 && a->ways[count].bus[0] != '\0')
		count++;
	return count;
}

/* Adds up the bonds between two cards: direct ones, and those of both to switches. */
static uint32_t bonds_between(const reader *r, uint32_t a, uint32_t b, const bond **out_bond)
{
	uint32_t direct = 0, through_a = 0, through_b = 0;
	for (uint32_t i = 0; i < r->bond_count; i++) {
		const bond *bonds = &r->bonds[i];
		if (strcmp(bonds->class_name, "C2C") == 0 || (bonds->card != a && bonds->card != b)) continue;
		if (bonds->peer == NONE)
			*(bonds->card == a ? &through_a : &through_b) += bonds->count;
		else if (bonds->card == a && bonds->peer == b)
			direct += bonds->count;
		else
			continue;
		if (bonds->card == a && (*out_bond == NULL || bonds->peer == b)) *out_bond = bonds;
	}
	if (direct > 0) return direct;
	return through_a < through_b ? through_a : through_b;
}

static void link_cards(reader *r, hy_sched__cluster *cluster, uint32_t a, uint32_t b)
{
	const bond *bonds = NULL;
	char class_name[8];
	const uint32_t from = cluster->devices[a].place, to = cluster->devices[b].place;
	const uint32_t count = bonds_between(r, a, b, &bonds), shared = common(&r->cards[a], &r->cards[b]);
	if (count > 0 && bonds != NULL) {
		snprintf(class_name, sizeof(class_name), "%.2s%u", bonds->class_name, count > 99 ? 99 : count);
		hy_sched__cluster_connect(cluster, from, to, class_name, 0, 0, HY_SCHED_DEFAULT);
	} else if (shared > 0) {
		const double x = slowest(&r->cards[a], shared), y = slowest(&r->cards[b], shared);
		const bool one = shared + 1 == r->cards[a].way_count && shared + 1 == r->cards[b].way_count;
		hy_sched__cluster_connect(cluster, from, to, one ? "PIX" : "PXB", x < y || y == 0 ? x : y, 0,
		                          HY_SCHED_GIVEN);
	}
}

/* Cards below one bridge share its way up. */
static void link_host(reader *r, hy_sched__cluster *cluster, uint32_t index)
{
	const card *c = &r->cards[index];
	const hy_sched_cluster *shown = &cluster->shown;
	const uint32_t place = cluster->devices[index].place, host = cluster->nodes[0].first_place + c->numa;
	for (uint32_t i = 0; i < r->bond_count; i++) {
		const bond *b = &r->bonds[i];
		if (b->card != index || strcmp(b->class_name, "C2C") != 0) continue;
		hy_sched__cluster_connect(cluster, place, host, "C2C", b->bytes_per_s, 0, HY_SCHED_GIVEN);
		return;
	}
	hy_sched__cluster_connect(cluster, place, host, "PHB", slowest(c, 0), 0, HY_SCHED_GIVEN);
	for (uint32_t other = 0; other < index && !cluster->no_memory; other++) {
		if (common(&r->cards[other], c) == 0) continue;
		for (uint32_t l = 0; l + 2 < shown->link_count; l++) {
			if (cluster->links[l].from == cluster->devices[other].place && cluster->links[l].to == host)
				cluster->links[shown->link_count - 2].channel = cluster->links[l].channel;
			if (cluster->links[l].to == cluster->devices[other].place && cluster->links[l].from == host)
				cluster->links[shown->link_count - 1].channel = cluster->links[l].channel;
		}
		return;
	}
}

/* Where each bond leads, once all cards are known. */
static void find_peers(reader *r)
{
	for (uint32_t i = 0; i < r->bond_count; i++) {
		r->bonds[i].peer = NONE;
		for (uint32_t c = 0; c < r->card_count; c++)
			if (strcmp(r->cards[c].ways[r->cards[c].way_count - 1].bus, r->bonds[i].target) == 0)
				r->bonds[i].peer = c;
	}
}

static hy_status build(reader *r, hy_sched_cluster **out_cluster, hy_error *error)
{
	hy_sched__cluster *cluster = hy_sched__cluster_create();
	if (cluster == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for the cluster");
	const hy_sched_cluster_node node = {
		.name = hy_sched__import_name(cluster, r->name),
		.numa_count = r->numa_count > 0 ? r->numa_count : 1,
	};
	cluster->shown.name = node.name;
	hy_sched__cluster_add_node(cluster, &node);
	find_peers(r);
	for (uint32_t i = 0; i < r->card_count && !cluster->no_memory; i++) {
		const card *c = &r->cards[i];
		const hy_sched_cluster_device device = {
			.id = hy_sched__cluster_text(cluster, "gpu:%u", c->number),
			.pci = hy_sched__cluster_text(cluster, "%s", c->ways[c->way_count - 1].bus),
			.type = type_of(cluster, c->model),
			.numa = c->numa,
		};
		if (!cluster->no_memory) hy_sched__cluster_add_device(cluster, &device);
	}
	for (uint32_t i = 0; i < r->card_count && !cluster->no_memory; i++) {
		link_host(r, cluster, i);
		for (uint32_t j = i + 1; j < r->card_count && !cluster->no_memory; j++)
			link_cards(r, cluster, i, j);
	}
	const uint32_t network = hy_sched__cluster_add_switch(cluster, hy_sched__cluster_text(cluster, "network"));
	for (uint32_t n = 0; n < r->numa_count && !cluster->no_memory; n++)
		if (r->net_bytes_per_s[n] > 0)
			hy_sched__cluster_connect(cluster, cluster->nodes[0].first_place + n, network, "NET",
			                          r->net_bytes_per_s[n], 0, HY_SCHED_GIVEN);
	if (!cluster->no_memory) hy_sched__cluster_connect_rest(cluster);
	return hy_sched__cluster_finish(cluster, out_cluster, error);
}

hy_status hy_sched__import_nccl(const char *name, const char *text, size_t length, hy_sched_cluster **out_cluster,
                                hy_error *error)
{
	reader *r = calloc(1, sizeof(*r));
	XML_Parser parser = XML_ParserCreate(NULL);
	hy_status status = HY_OK;
	if (r == NULL || parser == NULL) {
		status = hy_error_set(error, HY_NO_MEMORY, "no memory to read %s", name);
		goto done;
	}
	*r = (reader){.parser = parser, .name = name, .error = error, .numa = NONE, .gpu = NONE};
	XML_SetUserData(parser, r);
	XML_SetElementHandler(parser, on_start, on_end);
	XML_SetStartDoctypeDeclHandler(parser, on_doctype);
	if (length > HY_SCHED_IMPORT_BYTES)
		fault(r, "larger than 4 MiB");
	else if (XML_Parse(parser, text, (int)length, 1) != XML_STATUS_OK)
		fault(r, XML_ErrorString(XML_GetErrorCode(parser)));
	if (r->status == HY_OK && r->card_count == 0) fault(r, "no gpu element: nothing to import");
	status = r->status == HY_OK ? build(r, out_cluster, error) : r->status;
done:
	if (parser != NULL) XML_ParserFree(parser);
	free(r);
	return status;
}

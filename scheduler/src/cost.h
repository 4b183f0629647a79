/* Measured costs: their statistics, and the file that keeps them between runs. */
#ifndef HY_SCHED_COST_H
#define HY_SCHED_COST_H

#include "plan.h"

/* Median, median absolute deviation and number of samples; samples are reordered. count > 0. */
void hy_sched__cost_summarise(uint32_t count, uint64_t *samples, hy_sched__cost *out_cost);
/* Enough samples or time, and not all over the place: else it is measured again rather than believed. */
bool hy_sched__cost_is_trusted(const hy_sched__cost *cost);
/* The same on a device that takes factor times as long. */
void hy_sched__cost_scale(hy_sched__cost *cost, double factor);
void hy_sched__cost_finish(hy_sched__cost *cost);
hy_status hy_sched__cost_copy(const hy_sched__cost *cost, hy_sched__cost *out_cost, hy_error *error);

/* One transfer of `bytes` that took `ns`. */
typedef struct hy_sched__transfer {
	uint64_t bytes, ns;
} hy_sched__transfer;
/* Least squares over the transfers, weighted by 1/ns so that small ones count; never below zero. count > 0. */
hy_sched__link hy_sched__cost_fit_link(uint32_t count, const hy_sched__transfer *transfers);
uint64_t hy_sched__cost_link_ns(const hy_sched__link *link, uint64_t bytes);

/* What a measured number is about. Texts are lent. */
typedef struct hy_sched__cost_key {
	const char *plugin, *device, *driver, *options;
	uint64_t model; /* hash of the blob; 0 for links */
	const char *link; /* "to", "from", or NULL for a program */
	const char *host; /* name of the machine; NULL: none is kept */
	const char *instance; /* of a factor: the device; NULL for what holds for all devices of that type */
} hy_sched__cost_key;

uint64_t hy_sched__cost_hash(const hy_graph *blob);

/* The file: JSON lines, the first names the schema. */
typedef struct hy_sched__cost_file hy_sched__cost_file;

/* path NULL or a file that isn't there: empty. A file that can't be read as costs, and lines that can't, are left out:
 * *out_ignored is then a line for people (owned by the file), else NULL. */
hy_status hy_sched__cost_file_open(const char *path, hy_sched__cost_file **out_file, const char **out_ignored,
                                   hy_error *error);
void hy_sched__cost_file_close(hy_sched__cost_file *file);
bool hy_sched__cost_file_find(const hy_sched__cost_file *file, const hy_sched__cost_key *key, hy_sched__cost *out_cost);
/* The same model on any device of a plugin. */
bool hy_sched__cost_file_find_model(const hy_sched__cost_file *file, const char *plugin, uint64_t model,
                                    hy_sched__cost *out_cost);
bool hy_sched__cost_file_find_link(const hy_sched__cost_file *file, const hy_sched__cost_key *key,
                                   hy_sched__link *out_link);
/* What one device takes of the time of its type; 1 when nothing is known. The key's instance says which. */
double hy_sched__cost_file_factor(const hy_sched__cost_file *file, const hy_sched__cost_key *key);
hy_status hy_sched__cost_file_add_factor(hy_sched__cost_file *file, const hy_sched__cost_key *key, double factor,
                                         hy_error *error);
/* Whether this process added what stands under the key. */
bool hy_sched__cost_file_is_new(const hy_sched__cost_file *file, const hy_sched__cost_key *key);
hy_status hy_sched__cost_file_add(hy_sched__cost_file *file, const hy_sched__cost_key *key, const hy_sched__cost *cost,
                                  hy_error *error);
hy_status hy_sched__cost_file_add_link(hy_sched__cost_file *file, const hy_sched__cost_key *key,
                                       const hy_sched__link *link, hy_error *error);
/* Writes what was added, together with what is in the file by now, to a temporary file and renames it. Costs that are not
 * to be trusted stay with this process. */
hy_status hy_sched__cost_file_save(hy_sched__cost_file *file, hy_error *error);

#endif

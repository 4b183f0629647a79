/* Classes of links: the words of `nvidia-smi topo -m` and their kin, with what each has when nobody said or measured
 * more. PCIe: generation 3 x16, as most machines measure it; NVLink and xGMI per link of a generation ago. */
#include "cluster_build.h"

#include <stdlib.h>
#include <string.h>

const hy_sched__class hy_sched__classes[] = {
	{"SAME", "one physical device, seen by two plugins", 100e9, 1000},
	{"NV#", "NVLink, # bonds", 20e9, 2000},
	{"XG#", "xGMI, # links", 25e9, 2500},
	{"HC#", "HCCS, # links", 25e9, 2500},
	{"C2C", "chip to chip, cache-coherent", 400e9, 1000},
	{"PIX", "PCIe, one bridge", 12e9, 8000},
	{"PXB", "PCIe, several bridges", 12e9, 9000},
	{"PHB", "PCIe host bridge", 12e9, 10000},
	{"NODE", "host bridges of one NUMA node", 11e9, 12000},
	{"SYS", "between NUMA nodes", 10e9, 14000},
	{"NET", "network between nodes", 12e9, 5000},
};
const uint32_t hy_sched__class_count = sizeof(hy_sched__classes) / sizeof(hy_sched__classes[0]);

const hy_sched__class *hy_sched__class_find(const char *class_name, double *out_bonds)
{
	for (uint32_t i = 0; i < hy_sched__class_count; i++) {
		const hy_sched__class *class = &hy_sched__classes[i];
		const size_t length = strlen(class->name);
		*out_bonds = 1;
		if (strcmp(class->name, class_name) == 0 && class->name[length - 1] != '#') return class;
		if (class->name[length - 1] != '#' || strncmp(class->name, class_name, length - 1) != 0) continue;
		const char *digits = class_name + length - 1;
		if (digits[0] < '1' || digits[0] > '9' || strlen(digits) > 2 ||
		    strspn(digits, "0123456789") != strlen(digits))
			continue;
		*out_bonds = (double)strtoul(digits, NULL, 10);
		return class;
	}
	return NULL;
}

const char *hy_sched_cluster_class(const char *class_name)
{
	double bonds;
	const hy_sched__class *class = hy_sched__class_find(class_name, &bonds);
	return class == NULL ? NULL : class->meaning;
}

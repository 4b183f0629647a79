/* Files of other systems. */
#ifndef HY_SCHED_CLUSTER_IMPORT_H
#define HY_SCHED_CLUSTER_IMPORT_H

#include "cluster_build.h"

#define HY_SCHED_IMPORT_BYTES (4u << 20)

/* A topology of NCCL or RCCL. INVALID: error's line begins with name:line:column. */
hy_status hy_sched__import_nccl(const char *name, const char *text, size_t length, hy_sched_cluster **out_cluster,
                                hy_error *error);

/* The name of a node that comes from a file: the file's, without folder and ending. */
const char *hy_sched__import_name(hy_sched__cluster *cluster, const char *path);

#endif

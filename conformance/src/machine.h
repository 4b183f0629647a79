/* The machine that the suite runs on, for the report. */
#ifndef HY_CONFORM_PRIVATE_MACHINE_H
#define HY_CONFORM_PRIVATE_MACHINE_H

#include <jansson.h>

/* {"os", "kernel", "cpu", "cores", "memory_bytes", "environment": {variables that change what drivers do}}. */
json_t *conform__machine_facts(void);

#endif

/* Memory of a document, given back as a whole. */
#ifndef HY_YAML_KEEP_H
#define HY_YAML_KEEP_H

#include <halyard/yaml.h>

/* length zero bytes; NULL sets no_memory. */
void *hy_yaml__keep(hy_yaml *document, size_t length);

#endif

/* The page's section of failures: what was expected, what came, how the bound came about, how to see it again. */
#include "html.h"
#include "record.h"
#include "report_html.h"

#include <math.h>
#include <signal.h>
#include <string.h>

enum { OPEN = 3 };

/* "[0,1,2]" */
static conform_number place_of(const json_t *list)
{
	conform_number made = {"["};
	size_t used = 1;
	for (size_t i = 0; i < json_array_size(list) && used < sizeof(made.text) - 24; i++)
		used += (size_t)snprintf(made.text + used, sizeof(made.text) - used, "%s%lld", i == 0 ? "" : ",",
		                         (long long)json_integer_value(json_array_get(list, i)));
	snprintf(made.text + used, sizeof(made.text) - used, "]");
	return made;
}

/* Four digits: enough to see how a bound came about. */
static conform_number brief(const json_t *record, const char *name)
{
	conform_number made;
	snprintf(made.text, sizeof(made.text), "%.4g", conform__record_real(record, name));
	return made;
}

/* The unit is a power of two. */
static void put_unit(const json_t *difference, FILE *file)
{
	int exponent = 0;
	const bool power = frexp(conform__record_real(difference, "unit"), &exponent) == 0.5;
	if (power)
		conform__html_put(file, "2<sup>$</sup>", conform__html_count(exponent - 1).text);
	else
		conform__html_put(file, "$", brief(difference, "unit").text);
}

static void put_sum(const json_t *difference, const json_t *first, FILE *file)
{
	const bool sum = conform__record_real(difference, "root") != 0;
	const conform_number terms = conform__html_count(conform__record_integer(difference, "terms"));
	conform__html_put(file, "<p class=\"bound\"><span>bound</span> = ($", brief(difference, "factor").text);
	if (sum) conform__html_put(file, " + $&middot;&radic;$", brief(difference, "root").text, terms.text);
	fputs(") &middot; ", file);
	put_unit(difference, file);
	conform__html_put(file, " &middot; $", brief(first, "magnitude").text);
	if (conform__record_real(difference, "least") != 0)
		conform__html_put(file, " + $", brief(difference, "least").text);
	conform__html_put(file, "</p><p class=\"note\">class $; ", conform__record_get(difference, "tolerance"));
	put_unit(difference, file);
	conform__html_put(file, " is half a unit in the last place of 1 in $; ",
	                  conform__record_get(difference, "dtype"));
	if (sum)
		conform__html_put(file, "K = $ additions, whose rounding is relative to &Sigma;|a&middot;b| = $</p>\n",
		                  terms.text, brief(first, "magnitude").text);
	else
		conform__html_put(file, "rounding is relative to $</p>\n", brief(first, "magnitude").text);
}

static void put_difference(const json_t *difference, FILE *file)
{
	const json_t *shown = json_object_get(difference, "first"), *first = json_array_get(shown, 0), *element;
	size_t i;
	conform__html_put(file,
	                  "<div class=\"pair\"><p><span>expected</span><b>$</b></p><p><span>got</span><b>$</b></p>"
	                  "<p><span>error</span><b>$</b></p><p><span>bound</span><b>$</b></p></div>\n",
	                  conform__html_number(first, "expected").text, conform__html_number(first, "got").text,
	                  brief(first, "error").text, brief(first, "bound").text);
	conform__html_put(file, "<p>at $ of $$; $ of $ elements are out of bounds.</p>\n",
	                  place_of(json_object_get(first, "index")).text, conform__record_get(difference, "dtype"),
	                  place_of(json_object_get(difference, "dims")).text,
	                  conform__html_count(conform__record_integer(difference, "wrong")).text,
	                  conform__html_count(conform__record_integer(difference, "total")).text);
	if (conform__record_real(difference, "factor") == 0 && conform__record_real(difference, "root") == 0)
		conform__html_put(file, "<p class=\"note\">class $: no rounding is allowed</p>\n",
		                  conform__record_get(difference, "tolerance"));
	else
		put_sum(difference, first, file);
	if (json_array_size(shown) < 2) return;
	fputs("<div class=\"wide\"><table class=\"numbers\"><tr><th>first "
	      "three<th>expected<th>got<th>error<th>bound</tr>\n",
	      file);
	json_array_foreach(shown, i, element) conform__html_put(
		file, "<tr><td>$<td>$<td>$<td>$<td>$</tr>\n", place_of(json_object_get(element, "index")).text,
		conform__html_number(element, "expected").text, conform__html_number(element, "got").text,
		brief(element, "error").text, brief(element, "bound").text);
	fputs("</table></div>\n", file);
}

/* One line that says why, beside the case's name. */
static void put_cause(const json_t *item, FILE *file)
{
	const json_t *difference = json_object_get(item, "difference");
	const json_t *first = json_array_get(json_object_get(difference, "first"), 0);
	if (first == NULL) {
		conform__html_put(file, "$", conform__record_get(item, "text"));
		return;
	}
	conform__html_put(file, "expected $, got $ at $; $ of $ wrong", conform__html_number(first, "expected").text,
	                  conform__html_number(first, "got").text, place_of(json_object_get(first, "index")).text,
	                  conform__html_count(conform__record_integer(difference, "wrong")).text,
	                  conform__html_count(conform__record_integer(difference, "total")).text);
}

static void put_failure(const json_t *item, bool open, FILE *file)
{
	const json_t *difference = json_object_get(item, "difference"), *waiver = json_object_get(item, "waiver");
	const int number = (int)conform__record_integer(item, "signal");
	conform__html_put(
		file, "<details class=\"failure $\"$><summary><i>$</i> <code>$</code> <span class=\"rule\">$</span> ",
		conform__html_class(conform__record_status(item)), open ? " open" : "",
		conform__record_get(item, "status"), conform__record_get(item, "case"),
		conform__record_get(item, "rule"));
	fputs("<span class=\"cause\">", file);
	put_cause(item, file);
	fputs("</span></summary>\n<div class=\"body\">", file);
	if (json_is_object(difference))
		put_difference(difference, file);
	else
		conform__html_put(file, "<p>$</p>\n", conform__record_get(item, "text"));
	if (json_is_object(waiver))
		conform__html_put(file, "<p class=\"note\">waived: $ ($)</p>\n", conform__record_get(waiver, "reason"),
		                  conform__record_get(waiver, "approver"));
	conform__html_put(file, "<p class=\"note\">seed $, $", conform__record_get(item, "seed"),
	                  conform__html_time(1e6 * conform__record_real(item, "ms")).text);
	if (number != 0)
		conform__html_put(file, ", signal $ ($)", conform__html_count(number).text,
		                  number > 0 && number < NSIG ? strsignal(number) : "?");
	if (json_is_integer(json_object_get(item, "exit")))
		conform__html_put(file, ", exit status $",
		                  conform__html_count(conform__record_integer(item, "exit")).text);
	fputs("</p>\n", file);
	if (conform__record_get(item, "output")[0] != '\0')
		conform__html_put(file, "<h4>It printed</h4><pre>$</pre>\n", conform__record_get(item, "output"));
	conform__html_put(file, "<h4>Again, alone</h4><pre class=\"command\">$</pre></div></details>\n",
	                  conform__record_get(item, "command"));
}

void conform__html_failures(const json_t *report, FILE *file)
{
	const json_t *failures = json_object_get(report, "failures"), *groups = json_object_get(report, "groups");
	const json_t *item, *group;
	size_t i, g;
	uint32_t opened = 0;
	if (json_array_size(failures) == 0) return;
	fputs("<section id=\"failures\"><h2>What does not hold</h2>\n", file);
	json_array_foreach(groups, g, group)
	{
		const char *name = conform__record_get(group, "name");
		bool first = true;
		json_array_foreach(failures, i, item)
		{
			if (strcmp(conform__record_get(item, "group"), name) != 0) continue;
			if (first) conform__html_put(file, "<h3>$</h3>\n", name);
			put_failure(item, first && opened < OPEN, file);
			opened += first;
			first = false;
		}
	}
	fputs("</section>\n", file);
}

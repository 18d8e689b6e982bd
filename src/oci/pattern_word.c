/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/pattern_scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void builder_end_piece(struct builder *b)
{
	if (!b->text.len)
		return;
	b->w.pieces = xrealloc(b->w.pieces, b->w.n + 1, sizeof(*b->w.pieces));
	b->w.pieces[b->w.n++] = (struct piece){ .text = strbuf_take(&b->text) };
}

void builder_add_value(struct builder *b, char letter)
{
	builder_end_piece(b);
	b->w.pieces = xrealloc(b->w.pieces, b->w.n + 1, sizeof(*b->w.pieces));
	b->w.pieces[b->w.n++] = (struct piece){ .letter = letter };
}

void word_free(struct word *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->pieces[i].text);
	free(w->pieces);
}

void words_free(struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		word_free(&w->v[i]);
	free(w->v);
	*w = (struct words){ 0 };
}

const char *word_start(const struct word *w)
{
	return w->n > 0 && !w->pieces[0].letter ? w->pieces[0].text : "";
}

const char *word_name(const struct word *w)
{
	const char *slash;

	if (w->n != 1 || w->pieces[0].letter || (w->unknown && strcspn(w->pieces[0].text, "[{}") != 0))
		return NULL;
	slash = strrchr(w->pieces[0].text, '/');
	return slash ? slash + 1 : w->pieces[0].text;
}

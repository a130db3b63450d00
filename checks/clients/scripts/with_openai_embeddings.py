"""Embeddings by the official client of OpenAI, as its manual shows them."""
# mypy: disable-error-code="import-not-found"

import openai

from checks.clients.scripts.told import CUE, KEY, check, main, must_be, must_be_vectors, raises

EMBEDDINGS = openai.OpenAI(base_url=f"{CUE}/v1", api_key=KEY, max_retries=0).embeddings
TINY = "openai/tiny-embed"


@check("embedding of a text")
def one() -> None:
    must_be_vectors([EMBEDDINGS.create(model=TINY, input="hello").data[0].embedding], count=1)


@check("embeddings of many texts, usage")
def many() -> None:
    answer = EMBEDDINGS.create(model=TINY, input=["one", "two", "three"], dimensions=3, user="u-1")
    must_be_vectors([each.embedding for each in answer.data], count=3)
    must_be((answer.usage.prompt_tokens, answer.usage.total_tokens), (3, 3))


@check("embeddings as numbers, of tokens")
def numbers() -> None:
    answer = EMBEDDINGS.create(model=TINY, input=[[1, 2], [3]], encoding_format="float")
    must_be_vectors([each.embedding for each in answer.data], count=2)


@check("embedding by a stored prompt")
def refused() -> None:
    raises(openai.UnprocessableEntityError, lambda: EMBEDDINGS.create(model="prompt/triage", input="hello"))


if __name__ == "__main__":
    main(version_of="openai")

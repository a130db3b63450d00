"""litellm's embedding, as its manual shows it."""
# mypy: disable-error-code="import-not-found"

import litellm

from checks.clients.scripts.told import CUE, KEY, check, main, must_be, must_be_vectors

WHERE = {"model": "openai/openai/tiny-embed", "api_base": f"{CUE}/v1", "api_key": KEY}


@check("embedding of a text")
def one() -> None:
    must_be_vectors([litellm.embedding(input="hello", **WHERE).data[0]["embedding"]], count=1)


@check("embeddings of many texts, usage")
def many() -> None:
    answer = litellm.embedding(input=["one", "two", "three"], **WHERE)
    must_be_vectors([each["embedding"] for each in answer.data], count=3)
    must_be(answer.usage.total_tokens, 3)


if __name__ == "__main__":
    main(version_of="litellm")

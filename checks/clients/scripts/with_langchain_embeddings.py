"""langchain-openai's embeddings, as its manual shows them."""
# mypy: disable-error-code="import-not-found"

from langchain_openai import OpenAIEmbeddings

from checks.clients.scripts.told import CUE, KEY, check, main, must_be_vectors

EMBEDDINGS = OpenAIEmbeddings(
    model="openai/tiny-embed", base_url=f"{CUE}/v1", api_key=KEY, check_embedding_ctx_length=False
)


@check("embedding of a text")
def one() -> None:
    must_be_vectors([EMBEDDINGS.embed_query("hello")], count=1)


@check("embeddings of many texts")
def many() -> None:
    must_be_vectors(EMBEDDINGS.embed_documents(["one", "two", "three"]), count=3)


if __name__ == "__main__":
    main(version_of="langchain-openai")

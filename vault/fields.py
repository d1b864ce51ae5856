from django.db import models


class SealedTextField(models.BinaryField):
    def __init__(self, *args: object, category: str = "", **kwargs: object) -> None:
        self.category = category
        super().__init__(*args, null=True, **kwargs)


class SealedJSONField(SealedTextField):
    pass

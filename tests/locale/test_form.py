"""The form's fields are told in Portuguese: their words are those of the schema."""

from opsmail.cli.language import language
from opsmail.form.fields import form_fields
from opsmail.form.messages import Messages
from tests.locale.english import english_in
from tests.locale.extraction import texts


def test_every_field_is_told_in_portuguese() -> None:
    known = {text.template for text in texts()}
    assert [field.path for field in form_fields() if not {field.title, field.help} <= known] == []
    for field in Messages(language("pt-BR")).fields():
        assert english_in(f"{field['title']}. {field['help']}") == [], field

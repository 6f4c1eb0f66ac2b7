-- A NUL, which an AMQP property may hold, is well-formed JSON and yet nothing that jsonb can hold: whoever looked into
-- such a text failed (22P05). Texts are refused now before they get here; what is here already gets the character that
-- stands for lost text. An escaped backslash before "u0000" is no NUL, so pairs of them are passed over.
UPDATE saga SET request = regexp_replace(request, '(?<!\\)((?:\\\\)*)\\u0000', '\1\\ufffd', 'g')
WHERE strpos(request, '\u0000') > 0;
UPDATE dead_letter SET properties = regexp_replace(properties, '(?<!\\)((?:\\\\)*)\\u0000', '\1\\ufffd', 'g')
WHERE strpos(properties, '\u0000') > 0;

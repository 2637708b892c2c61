"""Words: every sentence people read and every word they may type, in English, Russian and Kazakh."""

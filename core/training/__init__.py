"""Training: better embeddings from labelled images, as backbones beside the others.

``settings`` says what is trained and how, ``runs`` what has been trained, ``estimate`` how long it will take; none of
them loads torch. ``run`` does the work: ``inputs`` feeds ``network``, which ``objectives`` judge and ``loop`` improves;
``checkpoints`` keeps every epoch and ``publish`` makes the best of them a backbone.
"""

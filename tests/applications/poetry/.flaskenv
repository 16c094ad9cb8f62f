FLASK_APP=diary.app:make_app

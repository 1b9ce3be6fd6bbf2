from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from uuid import uuid4
from tests.security.hers import things_of
def test_x(alice):
    h=things_of(alice)
    c=Client(); c.force_login(User.objects.create_user("plain",is_staff=True))
    ct=ContentType.objects.get(app_label="chat",model="conversation").pk
    for pk in (h.conversation.pk, uuid4()):
        r=c.get(f"/admin/r/{ct}/{pk}/"); print(r.status_code, r.headers.get("Location"))
        r=c.get(f"/admin/chat/conversation/{pk}/change/"); print(r.status_code, r.headers.get("Location"))
    # access.py urlsplit
    for path, hd in [("/", {"HX-Request":"true","HX-Current-URL":"http://[broken"})]:
        try: print(Client().get(path, headers=hd).status_code)
        except Exception as e: print("EXC", repr(e))
    a=Client(); a.force_login(alice)
    for p in [f"/c/{h.conversation.pk}/messages/?before="+"9"*5000, f"/runs/{h.run.pk}/steps/?before="+"9"*5000, f"/c/{h.conversation.pk}/messages/?before="+"9"*30, f"/runs/{h.run.pk}/steps/?before="+"9"*30,f"/runs/{h.run.pk}/steps/"+"9"*30+"/result/",f"/runs/{h.run.pk}/steps/"+"9"*5000+"/result/","/runs/?page="+"9"*30,"/runs/?page="+"9"*5000, "/settings/facts/"+"9"*5000+"/", "/admin/", f"/c/{h.conversation.pk}/messages/?before=%D9%A3"]:
        try: print(p[:60], a.get(p).status_code)
        except Exception as e: print("EXC", p[:60], repr(e)[:200])
    # throttle
    from agentsite.login import of_account
    n=0
    c=Client()
    for i in range(30):
        r=c.post("/accounts/login/",{"username":"alice","password":"wrong%d"%i}, REMOTE_ADDR=f"192.0.2.{i}")
        n+= r.status_code==200
        c.post("/accounts/login/",{"username":"alice","password":""}, REMOTE_ADDR=f"192.0.2.{i}")
    print("tries let through", n)
    from agentsite.login import of_account, of_address; of_account.clear(); of_address.clear()
    n=0
    for i in range(60):
        r=c.post("/accounts/login/",{"username":"alice%d"%i,"password":"wrong%d"%i})
        n+= r.status_code==200
        c.post("/accounts/login/",{"username":"alice%d"%i,"password":"\x00"})
    print("tries of one address let through", n)
